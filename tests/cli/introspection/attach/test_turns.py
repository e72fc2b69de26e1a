"""Turns at the inspector of a process: one at a time, whatever becomes of the others."""

import asyncio
import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from nsroom.errors import WaitError
from nsroom.folders import state_folder
from nsroom.introspection.attach import turns
from nsroom.introspection.attach.turns import turn

PID = 4_000_000
HOLD = f"""
import asyncio, sys
from nsroom.introspection.attach.turns import turn
async def main():
    async with turn({PID}):
        print("mine", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def test_one_at_a_time_and_nothing_is_left() -> None:
    inside, most = 0, 0

    async def work(pid: int) -> None:
        nonlocal inside, most
        async with turn(pid):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    await asyncio.gather(*(work(PID) for _ in range(20)))
    assert most == 1
    await asyncio.gather(*(work(PID + number) for number in range(5)))
    assert most > 1
    assert list(state_folder().iterdir()) == []


async def test_whoever_is_killed_has_no_turn_any_more() -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout
    assert await holder.stdout.readline() == b"mine\n"
    ours = turn(PID)
    waiting = asyncio.ensure_future(ours.__aenter__())
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    holder.kill()
    await holder.wait()
    await asyncio.wait_for(waiting, 5)
    await ours.__aexit__(None, None, None)


async def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_PATIENCE", 0.05)
    async with turn(PID):
        with pytest.raises(WaitError, match=f"another nsroom .* of pid {PID}: try again"):
            async with turn(PID):
                pass
    async with turn(PID):
        pass


async def test_no_folder_is_no_reason_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    async with turn(PID), turn(PID):
        pass


async def test_a_file_system_without_locks_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    async with turn(PID), turn(PID):
        pass
