"""Sockets of a server seen from inside: what their number costs `sockets`, `rooms`, `top` and the server.

They are polling sessions, which need no open connection: a process may have fewer descriptors than that.
"""

import asyncio
import json
import re
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.__main__ import NSROOM, measure
from benchmarks.crowd import PATIENCE
from benchmarks.scale.process import environment, spend
from benchmarks.scale.subject import Series, Spent, Subject
from benchmarks.serving import Served, serve_command, serving
from tests.peers.program import clean_environment, start_on_terminal

_MEMBERS = 10
"""Members of each room."""
_CROWD = 100
"""Sockets of each namespace, to whose whole a new room is announced."""
_SECONDS = 3
"""How long `top` is watched."""
_LOGIN = "ann:secret"
_LIMITS = ("--limit", "connections_per_address=1000000", "--admin", _LOGIN)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Pollers:
    """One TCP connection that opens any number of polling sessions."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._socket = socket.create_connection((where.hostname, where.port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = where.netloc

    def open(self, packets: Sequence[str]) -> None:
        """Open a session and send packets."""
        sid = json.loads(self._request("GET")[1:])["sid"]
        assert self._request("POST", f"&sid={sid}", "\x1e".join(packets)) == b"ok"

    def _request(self, method: str, query: str = "", body: str = "") -> bytes:
        head = f"{method} /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: {self._host}\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        data = b""
        while (end := data.find(b"\r\n\r\n") + 4) < 4 or len(data) < end + _length(data):
            received = self._socket.recv(65536)
            assert received, "the server ended the connection"
            data += received
        assert b" 200 " in data[:20], data
        return data[end:]

    def close(self) -> None:
        """Close the connection; the sessions stay."""
        self._socket.close()


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    assert found, head
    return int(found[1])


def sockets(count: int) -> Mapping[str, Spent]:
    """Measure the commands that list the sockets, in rooms of ten."""
    command = serve_command("--history", "none", "--no-greeting", "--any-namespace", *_LIMITS)
    with serving(command, environment()) as served:
        opened = spend(served, lambda: _open(served.urls[0], count))
        described = spend(served, lambda: _run("sockets", served))
        costs = {name: _run(name, served) for name in ("sockets", "rooms")}
        shown, watched = asyncio.run(_top(served, count))
    return {
        "open a polling session": opened,
        "describe all to an administrator": Spent(described.cpu),
        **{f"`{name}`": cost for name, cost in costs.items()},
        "`top`, until shown": shown,
        "`top`, a second": watched,
    }


def _open(url: str, count: int) -> None:
    pollers = Pollers(url)
    for number in range(count):
        namespace = f"/{number // _CROWD}"
        pollers.open([f"40{namespace},", f'42{namespace},["join","room {number // _MEMBERS}"]'])
    pollers.close()


def _run(name: str, served: Served) -> Spent:
    options = ("--via", "admin", "--admin-auth", _LOGIN, "--timeout", str(PATIENCE))
    cost = measure((NSROOM, name, "-u", served.urls[0], *options), environment())
    return Spent(cost.cpu, cost.peak * 1024)


async def _top(served: Served, count: int) -> tuple[Spent, Spent]:
    """Return the cost of the first screen, and of a second of watching."""
    options = ("--via", "admin", "--admin-auth", _LOGIN, "--timeout", str(PATIENCE))
    with tempfile.TemporaryDirectory() as folder:
        command = (NSROOM, "top", "-u", served.urls[0], *options)
        program = await start_on_terminal(command, clean_environment(Path(folder)), Path(folder))
        try:
            # It is a client, too.
            await program.stdout.wait_for_match(rf"\b({count + 1}|{count + 1:,}) clients", PATIENCE)
            top = Served(served.urls, (program.pid,))
            # The number of clients is shown before the list of sockets has arrived and has been read.
            for process in (served, top):
                await asyncio.to_thread(process.rest)
            shown, begun = top.cpu, time.monotonic()
            await asyncio.sleep(_SECONDS)
            watched = (top.cpu - shown) / (time.monotonic() - begun)
            return Spent(shown, top.memory), Spent(watched)
        finally:
            await program.kill()


SUBJECTS = (
    Subject(
        "sockets",
        "sockets seen from inside",
        (100, 1000, 10_000, 30_000, 100_000),
        (100, 300, 1000),
        (
            Series("open a polling session"),
            Series("describe all to an administrator"),
            Series("`sockets`", is_whole=True),
            Series("`rooms`", is_whole=True),
            Series("`top`, until shown", is_whole=True),
            Series("`top`, a second"),
        ),
        sockets,
    ),
)
