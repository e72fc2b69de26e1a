"""The processes of this machine, and what `lsof` and `ps` say of them elsewhere."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nsroom.introspection.attach import processes
from nsroom.introspection.attach.processes import (
    Listener,
    Process,
    addresses,
    children,
    find,
    has_other_inspector_port,
    is_local,
    listeners,
    listeners_of,
    parse_address,
    parse_lsof,
    parse_ps,
)

LSOF = """\
p4711
R1
u501
f23
n127.0.0.1:3000
f24
n*:8080
p99
R1
u0
f3
n[::1]:9229
n/not/a/socket
"""


@pytest.fixture(params=["linux", "darwin"] if shutil.which("lsof") else ["linux"])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read /proc, and ask `lsof` and `ps` where they are installed."""
    monkeypatch.setattr(processes.sys, "platform", request.param)


def test_an_address_of_proc() -> None:
    order = sys.byteorder == "little"
    assert parse_address("0100007F:0BB8" if order else "7F000001:0BB8") == ("127.0.0.1", 3000)
    one = "00000000000000000000000001000000" if order else "0" * 31 + "1"
    assert parse_address(f"{one}:240D") == ("::1", 9229)


def test_what_lsof_lists() -> None:
    assert list(parse_lsof(LSOF)) == [
        Listener("127.0.0.1", 3000, 501, 4711),
        Listener("0.0.0.0", 8080, 501, 4711),
        Listener("::1", 9229, 0, 99),
    ]
    assert list(parse_lsof("")) == list(parse_lsof("nonsense\np\nux\nn:\nn*:*")) == []


def test_what_ps_prints() -> None:
    node = Process(7, 501, 1, "node", catches_sigusr1=True, is_contained=False, own_pid=7)
    assert parse_ps("  501     1 /opt/my apps/bin/node\n", 7) == node
    assert parse_ps("", 7) is parse_ps("x y z", 7) is None


@pytest.mark.usefixtures("platform")
def test_our_own_sockets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        assert Listener(host, port, os.geteuid(), os.getpid()) in listeners()
        assert (host, port) in listeners_of(os.getpid())
    assert port not in {each.port for each in listeners() if each.pid == os.getpid()}


@pytest.mark.usefixtures("platform")
def test_our_own_process_and_a_child() -> None:
    found = find(os.getpid())
    assert found is not None
    assert (found.pid, found.uid, found.parent) == (os.getpid(), os.geteuid(), os.getppid())
    assert found.program.startswith("python")
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert child.pid in [each.pid for each in children(os.getpid())]
        finally:
            child.kill()
    assert find(child.pid) is None


def test_a_handler_of_sigusr1() -> None:
    script = "import signal, sys; {} print(flush=True); sys.stdin.read()"
    for handler, catches in (("signal.signal(signal.SIGUSR1, print);", True), ("", False)):
        command = [sys.executable, "-c", script.format(handler)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout
            child.stdout.readline()
            found = find(child.pid)
            child.communicate()
        assert found is not None
        assert found.catches_sigusr1 is catches


def test_another_port_for_the_inspector() -> None:
    script = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, "--inspect-port=0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert has_other_inspector_port(child.pid)
        child.communicate()
    assert not has_other_inspector_port(child.pid)


def test_local_names() -> None:
    assert all(map(is_local, ["localhost", "127.0.0.1", "127.8.9.10", "::1"]))
    assert not any(map(is_local, ["192.0.2.1", "2001:db8::1", "no.such.host.invalid", "x" * 300, "a\0b"]))
    assert "127.0.0.1" in addresses("127.0.0.1")
    assert addresses("no.such.host.invalid") == frozenset()


def test_a_program_that_cannot_be_run_is_as_one_that_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes.sys, "platform", "darwin")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert listeners() == []
    assert find(os.getpid()) is None
