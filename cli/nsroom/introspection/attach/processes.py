"""The processes of this machine: which of them listens at a port, and what they are.

Linux has it in /proc. Elsewhere `lsof` and `ps` say it; on Windows there is neither.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

_LISTEN = "0A"
"""The state in /proc/net/tcp."""
_SIGUSR1 = 1 << 9
"""In a mask of signals on Linux."""
_TIMEOUT = 10
"""Seconds for `lsof` and `ps`."""


class Listener(NamedTuple):
    """A TCP socket that listens, and the process that holds it."""

    host: str
    port: int
    uid: int
    pid: int | None
    """None for a process of another user."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine."""

    pid: int
    uid: int
    parent: int
    program: str
    """The name of its file."""
    catches_sigusr1: bool
    """Whether SIGUSR1 has a handler there: it would end the process otherwise."""
    is_contained: bool
    """Whether it has another network than we have, as in a container."""
    own_pid: int
    """Its id as it sees it itself."""

    def __str__(self) -> str:
        return f"{self.program} (pid {self.pid})"


def is_local(host: str) -> bool:
    """Return whether a name or an address is this machine's."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return False
    return any(_can_bind(family, address) for family, _, _, _, address in found)


def addresses(host: str) -> frozenset[str]:
    """Return the addresses of a host."""
    try:
        return frozenset(str(each[4][0]) for each in socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM))
    except (OSError, UnicodeError):
        return frozenset()


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def listeners() -> list[Listener]:
    """Return all sockets that listen; without those of other users where the system does not tell them."""
    if sys.platform == "linux":
        sockets = _sockets()
        holders = _holders(sockets)
        no_one: list[int | None] = [None]
        return [
            Listener(host, port, uid, pid)
            for inode, (host, port, uid) in sockets.items()
            for pid in holders.get(inode, no_one)
        ]
    return list(parse_lsof(_run("lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-FpRun")))


def listeners_of(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports at which a process listens."""
    if sys.platform == "linux":
        sockets = _sockets()
        return {sockets[inode][:2] for inode in _inodes(pid) if inode in sockets}
    text = _run("lsof", "-nP", "-a", "-p", str(pid), "-iTCP", "-sTCP:LISTEN", "-FpRun")
    return {(each.host, each.port) for each in parse_lsof(text)}


def find(pid: int) -> Process | None:
    """Return a process, or None if it does not exist."""
    return _find_in_proc(pid) if sys.platform == "linux" else parse_ps(_run(*_ps(pid)), pid)


def children(pid: int) -> list[Process]:
    """Return the processes that a process has started."""
    if sys.platform == "linux":
        pids: Iterable[int] = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
    else:
        rows = (line.split() for line in _run("ps", "-axo", "pid=,ppid=").splitlines())
        pids = (int(row[0]) for row in rows if row[1:] == [str(pid)])
    return [child for child in map(find, pids) if child is not None and child.parent == pid]


def has_other_inspector_port(pid: int) -> bool:
    """Return whether a process was told at which port its inspector shall listen, as far as can be seen."""
    found = b""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{pid}/{name}").read_bytes()
    return b"--inspect-port" in found or b"--debug-port" in found


def _find_in_proc(pid: int) -> Process | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
        status = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return Process(
            pid=pid,
            uid=int(status["Uid"].split()[1]),
            parent=int(status["PPid"]),
            program=_program(pid, status["Name"]),
            catches_sigusr1=bool(int(status["SigCgt"], 16) & _SIGUSR1),
            is_contained=_network(pid) not in (None, _network(os.getpid())),
            own_pid=int(status.get("NSpid", str(pid)).split()[-1]),
        )
    except (OSError, KeyError, ValueError, IndexError):
        return None


def _program(pid: int, default: str) -> str:
    try:
        return Path(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")).name
    except OSError:
        return default


def _network(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None


def _sockets() -> dict[str, tuple[str, int, int]]:
    """Return the listening sockets, by inode: address, port and user."""
    found = {}
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), Path(f"/proc/self/net/{table}").open(encoding="ascii") as lines:
            next(lines, None)
            # Linux lists these first; reading thousands of connections takes half a second.
            for fields in takewhile(lambda fields: fields[3] == _LISTEN, map(str.split, lines)):
                host, port = parse_address(fields[1])
                found[fields[9]] = host, port, int(fields[7])
    return found


def parse_address(text: str) -> tuple[str, int]:
    """Return the address and port of a row in /proc/net/tcp, whose words have the machine's byte order."""
    digits, _, port = text.partition(":")
    words = bytes.fromhex(digits)
    order = slice(None, None, -1 if sys.byteorder == "little" else 1)
    packed = b"".join(words[at : at + 4][order] for at in range(0, len(words), 4))
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def _holders(inodes: Iterable[str]) -> dict[str, list[int | None]]:
    """Return the processes that hold these sockets, as far as they can be seen."""
    wanted = set(inodes)
    found: dict[str, list[int | None]] = defaultdict(list)
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            for inode in wanted & _inodes(int(each.name)):
                found[inode].append(int(each.name))
    return found


def _inodes(pid: int) -> set[str]:
    """Return the inodes of a process' sockets; none if it is another user's."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            links = {_link(entry.path) for entry in entries}
    except OSError:
        return set()
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _ps(pid: int) -> tuple[str, ...]:
    return "ps", "-o", "uid=,ppid=,comm=", "-p", str(pid)


def parse_ps(text: str, pid: int) -> Process | None:
    """Return the process that `ps` describes as user, parent and program."""
    match text.split(None, 2):
        case [uid, parent, program] if uid.isdecimal() and parent.isdecimal():
            # Only Linux tells which signals are caught.
            return Process(pid, int(uid), int(parent), Path(program.strip()).name, True, False, pid)
    return None


def parse_lsof(text: str) -> Iterator[Listener]:
    """Yield the sockets that `lsof -FpRun` lists: a line a field, each with its letter."""
    pid = uid = 0
    for line in text.splitlines():
        letter, value = line[:1], line[1:]
        if letter == "p" and value.isdecimal():
            pid = int(value)
        elif letter == "u" and value.isdecimal():
            uid = int(value)
        elif letter == "n":
            host, _, port = value.rpartition(":")
            if port.isdecimal():
                yield Listener("0.0.0.0" if host == "*" else host.strip("[]"), int(port), uid, pid)
