"""Commands that run out of descriptors, threads, or a place to write: the right code, one line, no hang."""

import re
import sys
from errno import EMFILE, ENFILE, ENOENT, ENOMEM
from pathlib import Path

import pytest

from nsroom.errors import ExitCode
from nsroom.main import shortage
from tests.conftest import StartServer
from tests.peers.program import Runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of other systems differ")

FILES = "nsroom: (?:.*: )?too many open files(?:: |; )raise the limit with `ulimit -n`\n"
THREADS = "nsroom: cannot start a thread: raise the limit with `ulimit -u`, or close other programs\n"
NO_THREADS = "ulimit -s 4000000; ulimit -v 3000000"
"""A thread needs more stack than there is memory."""
FEWEST, ENOUGH = 5, 40
"""Descriptors: with fewer Python itself does not start."""


@pytest.mark.parametrize("line", ["call rooms", "join lobby -C 1"])
async def test_a_client_without_descriptors(line: str, shell: Runner, serve: StartServer) -> None:
    env = {"NSROOM_URL": (await serve()).url}
    codes = set()
    for limit in (FEWEST, FEWEST + 1, ENOUGH):
        result = await shell(f"ulimit -n {limit}; nsroom {line}", env=env)
        codes.add(result.code)
        if result.code:
            assert result.code == ExitCode.CONNECT
            assert re.fullmatch(FILES, result.stderr)
            assert result.stdout == ""
    assert codes == {ExitCode.OK, ExitCode.CONNECT}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "not enough memory: close other programs"),
        (OSError(ENOMEM, "x"), "not enough memory: close other programs"),
        (ExceptionGroup("x", [ValueError(), OSError(EMFILE, "x")]), "too many open files: raise the limit"),
        (OSError(ENFILE, "x"), "too many open files on this machine: close other programs"),
        (RuntimeError("can't start new thread"), "cannot start a thread: raise the limit with `ulimit -u`"),
        (RuntimeError("x"), None),
        (OSError(ENOENT, "x"), None),
    ],
)
def test_what_ran_out(error: Exception, text: str | None) -> None:
    assert (shortage(error) or "").startswith(text or "")
    assert (shortage(error) is None) is (text is None)
    wrapped = ValueError()
    wrapped.__cause__ = error
    assert shortage(wrapped) == shortage(error)


@pytest.mark.parametrize("limit", [FEWEST, FEWEST + 2, FEWEST + 4])
async def test_a_server_without_descriptors(limit: int, shell: Runner) -> None:
    result = await shell(f"ulimit -n {limit}; nsroom serve --port 0 --history none")
    assert (result.code, result.stdout) == (ExitCode.CONNECT, "")
    assert re.fullmatch(FILES, result.stderr)


@pytest.mark.parametrize(
    "line",
    [
        "call rooms -u http://localhost:{}",
        "emit hi --transport polling -u http://localhost:{}",
        "rooms -u http://localhost:{}",
    ],
)
async def test_a_client_without_threads(line: str, shell: Runner, serve: StartServer) -> None:
    port = (await serve()).url.rpartition(":")[2]
    result = await shell(f"{NO_THREADS}; nsroom {line.format(port)}")
    assert (result.code, result.stdout, result.stderr) == (ExitCode.CONNECT, "", THREADS)


@pytest.mark.parametrize(
    "line", ["serve --port 0", "bench http://localhost:1 -c 2", "doctor -u http://localhost:1"]
)
async def test_other_commands_without_threads(line: str, shell: Runner) -> None:
    result = await shell(f"{NO_THREADS}; nsroom {line}")
    assert (result.code, result.stdout, result.stderr) == (ExitCode.CONNECT, "", THREADS)


@pytest.mark.parametrize("line", ["join lobby -C 1", "demo", "doctor", "bench -c 2 --duration 0.1"])
async def test_a_full_output(line: str, nsroom: Runner, serve: StartServer) -> None:
    env = {"NSROOM_URL": (await serve()).url}
    result = await nsroom(*line.split(), stdout=Path("/dev/full"), env=env)
    assert result.code == ExitCode.OUTPUT
    assert result.stderr.endswith("nsroom: cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize("line", ["call rooms", "emit hi", "join lobby -C 1"])
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
async def test_no_place_for_messages(line: str, closed: str, shell: Runner, serve: StartServer) -> None:
    env = {"NSROOM_URL": (await serve()).url}
    result = await shell(f"nsroom {line} {closed}", env=env)
    assert (result.code, result.stderr) == (ExitCode.OK, "")
    assert bool(result.stdout) is not line.startswith("emit")
