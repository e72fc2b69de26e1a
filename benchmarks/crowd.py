"""Clients that cost little: one loop over raw sockets, which compares byte for byte what all of them get."""

import http.client
import json
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

PATIENCE = 120.0
"""Seconds for anything to come."""
_HELLO = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_CHUNK = 1 << 18
_AT_ONCE = 250
"""Handshakes that wait for the server together."""


class Member:
    """One WebSocket with the root namespace in it."""

    __slots__ = ("at", "data", "socket", "until")

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self.socket = socket.create_connection((where.hostname, where.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until = b""
        """What is waited for; all that comes before it is forgotten."""
        self.at: int | None = None
        """How much of the crowd's stream it has got, if it is to be compared with that."""
        self.data = bytearray()
        """What has come otherwise."""
        self.socket.sendall(_HELLO.format(where.netloc).encode())

    def send(self, packet: str) -> None:
        """Send a text frame; its mask is nought."""
        octets = packet.encode()
        size = bytes((0x80 | len(octets),)) if len(octets) < 126 else b"\xfe" + len(octets).to_bytes(2, "big")
        self.socket.sendall(b"\x81%b\0\0\0\0%b" % (size, octets))


class Crowd:
    """Members of a server's root namespace, or of those of several servers, which take turns."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._poll = select.epoll()
        self._members: dict[int, Member] = {}
        self._waiting = 0
        self.stream = bytearray()
        """What all are to get in the same order: it came to whoever got it first."""

    def connect(self, count: int) -> list[Member]:
        """Connect members."""
        members: list[Member] = []
        while len(members) < count:
            few = range(len(members), min(count, len(members) + _AT_ONCE))
            batch = [Member(self._urls[number % len(self._urls)]) for number in few]
            for member in batch:
                self._members[member.socket.fileno()] = member
                self._poll.register(member.socket.fileno(), select.EPOLLIN)
            self.wait(batch, b'0{"sid"')
            self.ask(batch, "40", b'40{"sid"')
            members += batch
        return members

    def close(self, members: Iterable[Member]) -> None:
        """Leave without a word."""
        for member in members:
            del self._members[member.socket.fileno()]
            self._poll.unregister(member.socket.fileno())
            member.socket.close()

    def ask(self, members: Iterable[Member], packet: str, answer: bytes) -> None:
        """Send a packet on each, and wait for its answer."""
        members = list(members)
        for member in members:
            member.send(packet)
        self.wait(members, answer)

    def wait(self, members: Iterable[Member], until: bytes) -> None:
        """Wait until it has come to each."""
        self.expect(members, until)
        self.read_while_expected()

    def read_while_expected(self) -> None:
        """Read until what is expected has come."""
        self.read_while(lambda: self._waiting)

    def expect(self, members: Iterable[Member], until: bytes) -> None:
        """Forget what comes to each until this has come."""
        for member in members:
            member.until, member.at = until, None
            self._waiting += 1
            self._skim(member)

    def compare(self, members: Iterable[Member]) -> None:
        """Compare what comes to each from now on."""
        self.stream.clear()
        for member in members:
            member.at = 0
            self._compare(member, member.data)
            member.data.clear()

    def read_while(self, unfinished: Callable[[], object]) -> None:
        """Read while a function's value is true."""
        deadline = time.monotonic() + PATIENCE
        while left := unfinished():
            assert time.monotonic() < deadline, f"what is waited for does not come: {left}"
            self.read()

    def settle(self) -> None:
        """Read until nothing has come for a while."""
        while self.read(0.5):
            continue

    def read(self, timeout: float = 1.0) -> bool:
        """Read what there is; false when nothing comes."""
        ready = self._poll.poll(timeout)
        for descriptor, _ in ready:
            self._take(self._members[descriptor])
        return bool(ready)

    def _take(self, member: Member) -> None:
        data = member.socket.recv(_CHUNK)
        assert data, "the server ended a connection"
        if member.at is not None:
            self._compare(member, data)
            return
        member.data += data
        if member.until:
            self._skim(member)

    def _compare(self, member: Member, data: bytes | bytearray) -> None:
        assert member.at is not None
        begun, member.at = member.at, member.at + len(data)
        if member.at > len(self.stream):
            self.stream += data[len(self.stream) - begun :]
        assert self.stream[begun : member.at] == data, "not all got the same"

    def _skim(self, member: Member) -> None:
        found = member.data.find(member.until)
        if found >= 0:
            del member.data[: found + len(member.until)]
            member.until = b""
            self._waiting -= 1
        else:
            del member.data[: -len(member.until)]


class Poller:
    """A member that polls when it is asked to; what comes meanwhile waits on the server."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._http = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        self._path = "/socket.io/?EIO=4&transport=polling"
        self._path += f"&sid={json.loads(self._request('GET')[1:])['sid']}"

    def _request(self, method: str, body: str | None = None) -> str:
        self._http.request(method, self._path, body)
        answer = self._http.getresponse()
        body = answer.read().decode()
        # The server does not keep it for as long as a round takes.
        self._http.close()
        assert answer.status == 200, body
        return body

    def send(self, packet: str) -> None:
        """Send a packet."""
        self._request("POST", packet)

    def receive(self) -> list[str]:
        """Poll once."""
        packets = self._request("GET").split("\x1e")
        if "2" in packets:
            self.send("3")
        return packets

    def gather(self, count: int) -> list[str]:
        """Poll until so many packets have come."""
        packets: list[str] = []
        while len(packets) < count:
            packets += self.receive()
        return packets

    def wait(self, until: str) -> None:
        """Poll until a packet has come that begins so."""
        while not any(packet.startswith(until) for packet in self.receive()):
            continue


def frames(stream: bytes | bytearray) -> Iterator[bytes]:
    """Give the frames of a stream that ends with a whole one."""
    at = 0
    while at < len(stream):
        begun, size, at = at, stream[at + 1], at + 2
        if size == 126:
            size, at = int.from_bytes(stream[at : at + 2], "big"), at + 2
        at += size
        yield bytes(stream[begun:at])
    assert at == len(stream), "a frame is not whole"


def text(frame: bytes) -> str:
    """Give the text of a frame."""
    return frame[4 if frame[1] == 126 else 2 :].decode()
