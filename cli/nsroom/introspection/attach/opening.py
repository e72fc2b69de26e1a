"""Find the process to attach to, and open its inspector.

SIGUSR1 opens the inspector of Node, and ends any other program: it is sent only to a process that is named
node and has a handler for it.
"""

import asyncio
import contextlib
import os
import re
import shlex
import signal
import socket
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from nsroom.client.target import Target
from nsroom.errors import ConnectError, RefusedError, UsageError, WaitError
from nsroom.introspection.attach.inspector import Place, find_target
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
)
from nsroom.introspection.attach.turns import turn

_NODE = re.compile(r"node(js)?([-.]?v?\d[\d.]*)?")
DEFAULT_PORT = 9229
"""Where an inspector listens that SIGUSR1 opens, unless the process was told another."""
_WILDCARDS = {"0.0.0.0", "::"}
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_OPENS_WITHIN = 5.0
_CLOSES_WITHIN = 3.0
"""Seconds."""
_INTERVAL = 0.01
"""Seconds between two looks at the ports of a process."""
_WITHOUT_SIGNAL = {
    "bun": "Bun opens its inspector only at the start: it cannot be attached to",
    "deno": "Deno opens its inspector only at the start: start it with `deno run --inspect`",
    "python": "Python cannot be attached to: call sio.instrument(auth=False) in it, and use --via admin",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An open inspector."""

    place: Place
    path: str
    """Of its WebSocket."""
    by_us: bool
    """Whether SIGUSR1 opened it just now."""


def is_here(target: Target) -> bool:
    """Return whether a URL is this machine's."""
    return target.unix is None and is_local(urlsplit(target.url).hostname or "")


def find_process(target: Target, pid: int | None) -> Process:
    """Return the process with this id, or the one that listens at the target's port.

    Raises: UsageError, ConnectError, RefusedError if it is another user's.
    """
    if sys.platform == "win32":
        raise UsageError("--via attach needs Linux or macOS: Windows has no signal that opens an inspector")
    process = find(pid) if pid is not None else _listening(target)
    if process is None:
        raise UsageError(f"no process has the id {pid}")
    below = [] if _NODE.fullmatch(process.program) else node_children(process)
    if len(below) == 1:
        process = below[0]  # a wrapper, as that of a package manager
    if process.uid != os.geteuid():
        raise _another_user(str(process), process.uid)
    return process


def _listening(target: Target) -> Process:
    host, port = urlsplit(target.url).hostname or "", target.port
    if not is_here(target):
        raise UsageError(f"--via attach reaches only processes of this machine, not {target.place}")
    own = addresses(host) | _WILDCARDS
    there = [each for each in listeners() if each.port == port and (each.host in own or is_local(each.host))]
    if not there:
        raise ConnectError(
            f"nothing listens on {host} port {port}: start the server, or use --via attach:PID"
        )
    return _outermost(there, port)


def _outermost(there: list[Listener], port: int) -> Process:
    """Return the process that holds a port; of several the one that started the others."""
    known = [process for process in (find(each.pid) for each in there if each.pid is not None) if process]
    if not known:
        raise _another_user(f"the process that listens on port {port}", there[0].uid)
    pids = {process.pid for process in known}
    return next((process for process in known if process.parent not in pids), known[0])


def _another_user(what: str, uid: int) -> RefusedError:
    user = _user_name(uid)
    return RefusedError(
        f"{what} belongs to the user {user}: attach reaches only your own processes",
        f"sudo -u {shlex.quote(user)} nsroom …    # as that user",
    )


def _user_name(uid: int) -> str:
    if sys.platform != "win32":
        from pwd import getpwuid

        with contextlib.suppress(KeyError):
            return getpwuid(uid).pw_name
    return f"#{uid}"


async def open_inspector(process: Process, app_port: int | None, is_ours: bool = False) -> Opened:
    """Return the inspector of a process, opening it if it is not open.

    `app_port` is not asked whether it is one. With `is_ours`, one that is open was opened because of us.
    Raises: RefusedError if the process cannot be attached to; WaitError if no inspector opens.
    """
    before = await asyncio.to_thread(listeners_of, process.pid)
    if opened := await _find(before, app_port):
        return Opened(*opened, by_us=is_ours)
    _check(process)
    return await _open(process, before, app_port, signals=True)


async def reopened(process: Process, app_port: int | None) -> Opened:
    """Return the inspector that a process opens by itself. Raises: WaitError."""
    return await _open(process, set(), app_port, signals=False)


async def _open(
    process: Process, before: set[tuple[str, int]], app_port: int | None, signals: bool
) -> Opened:
    try:
        async with asyncio.timeout(_OPENS_WITHIN):
            return Opened(*await _wait_for_inspector(process, before, app_port, signals), by_us=True)
    except TimeoutError:
        raise WaitError(_no_inspector(process)) from None


async def has_inspector(process: Process) -> bool:
    """Return whether the inspector of a process is open. Raises: WaitError."""
    async with turn(process.pid):
        return await _find(await asyncio.to_thread(listeners_of, process.pid), None) is not None


async def _wait_for_inspector(
    process: Process, before: set[tuple[str, int]], app_port: int | None, signals: bool
) -> tuple[Place, str]:
    """Signal the process unless that is not needed, and wait for a port that was not there `before`.

    Others may be using the default port, and another nsroom only for a moment: then the signal waits.
    """
    is_default = not has_other_inspector_port(process.pid)
    while True:
        if signals and (not is_default or _is_free(DEFAULT_PORT)):
            _signal(process)
            signals = False
        now = await asyncio.to_thread(listeners_of, process.pid)
        if opened := await _find(now - before, app_port):
            return opened
        if is_default and now == before and not _is_free(DEFAULT_PORT):
            signals = True  # the port was lost to another process
        await asyncio.sleep(_INTERVAL)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _find(found: set[tuple[str, int]], app_port: int | None) -> tuple[Place, str] | None:
    for host, port in sorted(found):
        place = Place(_LOOPBACK.get(host, host), port)
        path = await find_target(place) if port != app_port else None
        if path is not None:
            return place, path
    return None


def _check(process: Process) -> None:
    """Check that SIGUSR1 opens the inspector of a process. Raises: RefusedError."""
    for name, why in _WITHOUT_SIGNAL.items():
        if process.program.startswith(name):
            raise RefusedError(f"{process}: {why}")
    if not _NODE.fullmatch(process.program):
        raise RefusedError(
            f"{process} is not Node: attach needs a Node process, or one started with --inspect"
        )
    if process.is_contained:
        raise RefusedError(
            f"{process} runs in a container: run nsroom in it, or use its Redis with --via redis://"
        )
    if not process.catches_sigusr1:
        raise RefusedError(f"{process} does not accept SIGUSR1 (--disable-sigusr1?): start it with --inspect")


def _signal(process: Process) -> None:
    """Send SIGUSR1, to no other process that has got the same id. Raises: ConnectError."""
    ended = ConnectError(f"{process} has ended")
    try:
        if sys.platform == "linux":
            handle = os.pidfd_open(process.pid)
            try:
                if find(process.pid) != process:
                    raise ended
                signal.pidfd_send_signal(handle, signal.SIGUSR1)
            finally:
                os.close(handle)
        elif sys.platform != "win32":
            os.kill(process.pid, signal.SIGUSR1)
    except ProcessLookupError:
        raise ended from None


def _no_inspector(process: Process) -> str:
    taken = [each for each in listeners() if each.port == DEFAULT_PORT and each.pid != process.pid]
    if taken:
        return (
            f"{process} cannot open its inspector: port {DEFAULT_PORT} is in use by"
            f" {'another user' if taken[0].pid is None else f'pid {taken[0].pid}'}; end that, or start the"
            " server with --inspect=0"
        )
    return (
        f"{process} opened no inspector within {_OPENS_WITHIN:g} s: it handles SIGUSR1 itself, or is stopped;"
        " start it with --inspect"
    )


async def wait_until_closed(pid: int, place: Place) -> bool:
    """Wait until nothing listens where a process' inspector did; return whether that is so."""
    try:
        async with asyncio.timeout(_CLOSES_WITHIN):
            while True:
                found = await asyncio.to_thread(listeners_of, pid)
                if place.port not in {port for _, port in found}:
                    return True
                await asyncio.sleep(_INTERVAL)
    except TimeoutError:
        return False


def node_children(process: Process) -> list[Process]:
    """Return the Node processes that a process has started, as a wrapper of Node does."""
    return [child for child in children(process.pid) if _NODE.fullmatch(child.program)]
