"""A blocked event loop neither keeps a command from ending in time, nor leaves the terminal in disorder."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from nsroom.cli import watchdog
from nsroom.cli.run import run
from nsroom.errors import WaitError
from nsroom.output.terminal import safe
from tests.peers.program import spawner

SCRIPT = """
import asyncio, sys, time
from nsroom.cli.run import run
from nsroom.cli.watchdog import limit
from nsroom.errors import NsroomError, Stopped, WaitError

def block(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))

async def main(how):
    if how == "deadline":
        with limit(0.1, WaitError("too \\x1b late")):
            print("ready", flush=True)
            block(20)
    elif how == "cleanup":
        try:
            with limit(0.1, WaitError("too late")):
                async with asyncio.timeout(0.1):
                    print("ready", flush=True)
                    await asyncio.sleep(20)
        finally:
            block(20)
    elif how == "screen":
        import tty
        tty.setraw(0)
        print("\\x1b[?1049hready", flush=True)
        block(20)
    else:
        print("ready", flush=True)
        block(20)

try:
    run(main(sys.argv[1]))
except NsroomError as error:
    sys.exit(error.code)
except Stopped as stopped:
    sys.exit(stopped.code)
"""
PROGRAM = (sys.executable, "-c", SCRIPT)
SOON = 5.0
"""Seconds: far less than the loop is blocked, on a machine with much else to do."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_a_blocked_command(
    number: signal.Signals, code: int, environment: dict[str, str], tmp_path: Path
) -> None:
    async with spawner(PROGRAM, environment, tmp_path) as spawn:
        program = await spawn("block")
        assert await program.line() == "ready"
        started = time.monotonic()
        program.signal(number)
        result = await program.result()
    assert (result.code, result.stderr) == (code, "")
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(("how", "said"), [("deadline", safe("too \x1b late")), ("cleanup", "too late")])
async def test_a_deadline_ends_a_blocked_command(
    how: str, said: str, environment: dict[str, str], tmp_path: Path
) -> None:
    async with spawner(PROGRAM, environment, tmp_path) as spawn:
        started = time.monotonic()
        result = await (await spawn(how)).result()
    assert (result.code, result.stderr) == (5, f"nsroom: {said}\n")
    assert time.monotonic() - started < SOON


def test_the_terminal_is_restored() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    program = subprocess.Popen([*PROGRAM, "screen"], stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        shown = b""
        while b"ready" not in shown:
            shown += os.read(ours, 4096)
        assert termios.tcgetattr(theirs) != before
        program.send_signal(signal.SIGTERM)
        assert program.wait(SOON) == 143
        assert termios.tcgetattr(theirs) == before
        while b"\x1b[?1049l" not in shown:
            shown += os.read(ours, 4096)
    finally:
        program.kill()
        program.wait()
        os.close(ours)
        os.close(theirs)


def test_a_loop_that_runs_is_left_alone() -> None:
    async def work() -> str:
        loop = asyncio.get_running_loop()
        watchdog.arm(loop, 99)
        for _ in range(20):
            sum(range(10**6))
            await asyncio.sleep(watchdog.GRACE / 10)
        return "done"

    assert run(work()) == "done"


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_limit_that_is_kept_changes_nothing(seconds: float | None) -> None:
    async def work() -> None:
        with watchdog.limit(seconds, WaitError("late")):
            await asyncio.sleep(0)

    run(work())
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
