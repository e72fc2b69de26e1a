"""Finding the process, and which programs get the signal that would end them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nsroom.client.target import Target
from nsroom.errors import ConnectError, RefusedError, UsageError, WaitError
from nsroom.introspection.attach import opening
from nsroom.introspection.attach.opening import find_process, is_here, open_inspector, wait_until_closed
from nsroom.introspection.attach.processes import Process, find
from tests.cli.introspection.attach.peers import Stock
from tests.conftest import StartServer

HERE = Target(url="http://127.0.0.1:1")


class Running(subprocess.Popen[str]):
    """A Python program that has printed its first line; it ends with its input."""

    def __init__(self, script: str, *args: str) -> None:
        command = [sys.executable, "-c", script, *args]
        super().__init__(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.stdout
        self.first_line = self.stdout.readline()


Child = Callable[..., Running]


@pytest.fixture
def child() -> Iterator[Child]:
    """Start a Python program."""
    with ExitStack() as stack:

        def start(script: str, *args: str) -> Running:
            running = stack.enter_context(Running(script, *args))
            stack.callback(running.communicate)
            return running

        yield start


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A program that is called node, and that SIGUSR1 would end."""
    program = shutil.copy(str(shutil.which("sleep")), tmp_path / "node")
    with subprocess.Popen([program, "60"]) as child:
        found = find(child.pid)
        while found is not None and found.program != "node":
            found = find(child.pid)
        assert found is not None
        yield found
        assert child.poll() is None, "it got a signal"
        child.kill()


async def test_a_process_without_a_handler_gets_no_signal(sleeper: Process) -> None:
    with pytest.raises(RefusedError, match="does not accept SIGUSR1"):
        await open_inspector(sleeper, None)


async def test_another_program_gets_no_signal(child: Child) -> None:
    process = child("import sys; print(flush=True); sys.stdin.read()")
    with pytest.raises(RefusedError, match=r"python[\d.]* \(pid \d+\): Python cannot be attached to"):
        await open_inspector(find_process(HERE, process.pid), None)
    assert process.poll() is None


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("bun", "Bun opens its inspector only at the start"),
        ("deno", "Deno opens its inspector only at the start"),
        ("nginx", "is not Node: attach needs a Node process, or one started with --inspect"),
        ("nodemon", "is not Node"),
    ],
)
async def test_programs_by_name(program: str, reason: str) -> None:
    process = Process(os.getpid(), os.geteuid(), 1, program, True, False, os.getpid())
    with pytest.raises(RefusedError, match=reason):
        await open_inspector(process, None)


async def test_a_process_in_a_container() -> None:
    process = Process(os.getpid(), os.geteuid(), 1, "node", True, True, 1)
    with pytest.raises(RefusedError, match="runs in a container: run nsroom in it"):
        await open_inspector(process, None)


async def test_a_process_that_was_replaced_gets_no_signal(stock: Stock) -> None:
    server = await stock()
    process = find(server.proc.pid)
    assert process is not None
    other = Process(process.pid, process.uid, 0, "node", True, False, process.pid)
    with pytest.raises(ConnectError, match="has ended"):
        await open_inspector(other, None)


async def test_a_process_of_another_user(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await stock()
    monkeypatch.setattr(opening.os, "geteuid", lambda: 65_535)
    for pid in (None, server.proc.pid):
        with pytest.raises(RefusedError, match="attach reaches only your own processes"):
            find_process(Target(url=server.url), pid)


def test_the_process_at_a_port_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = opening.Listener("127.0.0.1", 1, 54_321, None)
    monkeypatch.setattr(opening, "listeners", lambda: [hidden])
    with pytest.raises(RefusedError, match="that listens on port 1 belongs to the user #54321"):
        find_process(HERE, None)


def test_no_process() -> None:
    with pytest.raises(ConnectError, match=r"nothing listens on 127\.0\.0\.1 port 1: start the server"):
        find_process(HERE, None)
    with pytest.raises(UsageError, match="no process has the id 4194305"):
        find_process(HERE, 4_194_305)
    for url in ("http://192.0.2.1:3000", "https://no.such.host.invalid"):
        with pytest.raises(UsageError, match="reaches only processes of this machine, not http"):
            find_process(Target(url=url), None)
    assert is_here(HERE)
    assert not is_here(Target(url="http://192.0.2.1"))


def test_a_wrapper_of_node_is_passed_over(node: Path, child: Child) -> None:
    script = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    waits = "console.log(process.pid); process.stdin.resume()"
    wrapper = child(script, str(node), "-e", waits)
    assert find_process(HERE, wrapper.pid).pid == int(wrapper.first_line)


async def test_a_process_that_handles_the_signal_itself(
    node_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_OPENS_WITHIN", 0.5)
    server = await node_server("--inspect-port=0", "silent.cjs", "--own-signal")
    with pytest.raises(WaitError, match=r"opened no inspector within 0\.5 s: it handles SIGUSR1 itself"):
        await open_inspector(find_process(Target(url=server.url), None), None)
    assert await server.proc.record() == {"signal": True}


async def test_a_port_that_does_not_close(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_CLOSES_WITHIN", 0.1)
    server = await stock()
    place = opening.Place("127.0.0.1", int(server.url.rpartition(":")[2]))
    assert not await wait_until_closed(server.proc.pid, place)
    assert await wait_until_closed(server.proc.pid, opening.Place("127.0.0.1", 1))


async def test_the_default_port_is_in_use(node_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has it: no signal is sent, and the message names it."""
    server = await node_server("silent.cjs")
    monkeypatch.setattr(opening, "_OPENS_WITHIN", 0.2)
    monkeypatch.setattr(opening, "_is_free", lambda _: False)
    taken = opening.Listener("127.0.0.1", opening.DEFAULT_PORT, os.geteuid(), 4711)
    monkeypatch.setattr(opening, "listeners", lambda: [taken])
    process = find(server.proc.pid)
    assert process is not None
    with pytest.raises(WaitError, match="port 9229 is in use by pid 4711"):
        await open_inspector(process, None)
    assert "Debugger" not in server.proc.stderr.text
