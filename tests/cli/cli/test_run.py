"""The first signal lets a command clean up, the second exits at once."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from nsroom.cli.run import run
from nsroom.errors import DataError
from tests.peers.program import spawner

SCRIPT = """
import asyncio, sys
from nsroom.errors import Stopped
from nsroom.cli.run import run

async def main(cleanup):
    try:
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        await asyncio.sleep(cleanup)
        print("clean", flush=True)

try:
    run(main(float(sys.argv[1])))
except Stopped as stopped:
    sys.exit(stopped.code)
"""


LOADING = """
import os, signal, sys, time
from nsroom.main import main

class Swallowing:
    def find_spec(self, name, path=None, target=None):
        if name == "nsroom.commands.decode":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)
            except BaseException:
                pass

sys.meta_path.insert(0, Swallowing())
sys.argv = ["nsroom", "decode", "--frame", "40"]
main()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_the_first_signal_lets_it_clean_up(
    number: signal.Signals, code: int, environment: dict[str, str], tmp_path: Path
) -> None:
    async with spawner((sys.executable, "-c", SCRIPT), environment, tmp_path) as spawn:
        program = await spawn("0.05")
        assert await program.line() == "ready"
        program.signal(number)
        result = await program.result()
    assert (result.code, result.lines, result.stderr) == (code, ["ready", "cleaning", "clean"], "")


async def test_a_signal_during_an_import_is_not_lost(environment: dict[str, str], tmp_path: Path) -> None:
    async with spawner((sys.executable, "-c", LOADING), environment, tmp_path) as spawn:
        result = await (await spawn()).result()
    assert (result.code, result.lines, result.stderr) == (130, [], "")


async def test_the_second_signal_exits_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    async with spawner((sys.executable, "-c", SCRIPT), environment, tmp_path) as spawn:
        program = await spawn("60")
        await program.line()
        program.signal(signal.SIGINT)
        assert await program.line() == "cleaning"
        program.signal(signal.SIGTERM)
        result = await program.result()
    assert (result.code, result.lines, result.stderr) == (143, ["ready", "cleaning"], "")


def test_without_a_signal_it_returns_the_result() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> None:
        raise DataError("no")

    async def give_up() -> None:
        raise asyncio.CancelledError

    assert run(answer()) == 7
    with pytest.raises(DataError):
        run(fail())
    with pytest.raises(asyncio.CancelledError):
        run(give_up())
