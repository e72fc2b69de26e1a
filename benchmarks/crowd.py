"""Cheap clients: one loop over raw sockets that compares, byte for byte, the packets of all members."""

import http.client
import json
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

PATIENCE = 120.0
"""Seconds to wait for data."""
_HELLO = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_CHUNK = 1 << 18
_AT_ONCE = 250
"""Handshakes in progress at once."""


class Member:
    """One WebSocket, connected to the root namespace."""

    __slots__ = ("at", "data", "socket", "until")

    def __init__(self, url: str, source: str = "") -> None:
        where = urlsplit(url)
        local = (source, 0) if source else None
        self.socket = socket.create_connection((where.hostname, where.port), source_address=local)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until = b""
        """The frame to wait for; those before it are dropped."""
        self.at: int | None = None
        """The bytes of the common stream received so far, while comparing with it."""
        self.data = bytearray()
        """Other bytes received."""
        self.socket.sendall(_HELLO.format(where.netloc).encode())

    def send(self, packet: str) -> None:
        """Send a text frame with a mask of zeros."""
        octets = packet.encode()
        size = bytes((0x80 | len(octets),)) if len(octets) < 126 else b"\xfe" + len(octets).to_bytes(2, "big")
        self.socket.sendall(b"\x81%b\0\0\0\0%b" % (size, octets))


class Crowd:
    """Members of the root namespace of one server, or of several in turn, from one address or several."""

    def __init__(self, urls: Sequence[str], sources: Sequence[str] = ("",)) -> None:
        self._urls = urls
        self._sources = sources
        self._poll = select.epoll()
        self._members: dict[int, Member] = {}
        self._waiting = 0
        self.stream = bytearray()
        """The common stream, as the first member received it; all others must receive the same."""

    @property
    def members(self) -> list[Member]:
        """The members that are connected, in order."""
        return list(self._members.values())

    def connect(self, count: int) -> list[Member]:
        """Connect members."""
        members: list[Member] = []
        while len(members) < count:
            few = range(len(members), min(count, len(members) + _AT_ONCE))
            batch = [self._member(number) for number in few]
            for member in batch:
                self._members[member.socket.fileno()] = member
                self._poll.register(member.socket.fileno(), select.EPOLLIN)
            self.wait(batch, b'0{"sid"')
            self.ask(batch, "40", b'40{"sid"')
            members += batch
        return members

    def _member(self, number: int) -> Member:
        return Member(self._urls[number % len(self._urls)], self._sources[number % len(self._sources)])

    def close(self, members: Iterable[Member]) -> None:
        """Close the connections without a CLOSE frame."""
        for member in members:
            del self._members[member.socket.fileno()]
            self._poll.unregister(member.socket.fileno())
            member.socket.close()

    def ask(self, members: Iterable[Member], packet: str, answer: bytes) -> None:
        """Send a packet from each member, and wait for the answer."""
        members = list(members)
        for member in members:
            member.send(packet)
        self.wait(members, answer)

    def talk(self, talker: Member, packets: Sequence[str], window: int) -> None:
        """Send packets with the acknowledgement ids 0, 1, …; at most `window` of them are unacknowledged."""
        acknowledged, sent, at = 0, 0, 0
        deadline = time.monotonic() + PATIENCE
        while acknowledged < len(packets):
            assert time.monotonic() < deadline, f"{acknowledged} of {len(packets)} are acknowledged"
            for packet in packets[sent : acknowledged + window]:
                talker.send(packet)
            sent = min(len(packets), acknowledged + window)
            self.read()
            while (found := talker.data.find(b"43%d[" % acknowledged, at)) >= 0:
                acknowledged, at = acknowledged + 1, found

    def wait(self, members: Iterable[Member], until: bytes) -> None:
        """Wait until every member has received it."""
        self.expect(members, until)
        self.read_while_expected()

    def read_while_expected(self) -> None:
        """Read until the expected frames have arrived."""
        self.read_while(lambda: self._waiting)

    def expect(self, members: Iterable[Member], until: bytes) -> None:
        """Drop the frames of each member up to this one."""
        for member in members:
            member.until, member.at = until, None
            self._waiting += 1
            self._skim(member)

    def compare(self, members: Iterable[Member]) -> None:
        """Compare the frames of all members from now on."""
        self.stream.clear()
        for member in members:
            member.at = 0
            self._compare(member, member.data)
            member.data.clear()

    def read_while(self, unfinished: Callable[[], object]) -> None:
        """Read while a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while left := unfinished():
            assert time.monotonic() < deadline, f"what is waited for does not come: {left}"
            self.read()

    def settle(self, seconds: float = 0.5) -> None:
        """Read until no data has arrived for a while."""
        while self.read(seconds):
            continue

    def read(self, timeout: float = 1.0) -> bool:
        """Read the available data, and return whether there was any."""
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
    """A member that polls on demand; packets wait on the server until then."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._http = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        self._path = "/socket.io/?EIO=4&transport=polling"
        self._path += f"&sid={json.loads(self._request('GET')[1:])['sid']}"

    def _request(self, method: str, body: str | None = None) -> str:
        self._http.request(method, self._path, body)
        answer = self._http.getresponse()
        body = answer.read().decode()
        # The server closes idle connections within a round, so each request opens a new one.
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
        """Poll until `count` packets have arrived."""
        packets: list[str] = []
        while len(packets) < count:
            packets += self.receive()
        return packets

    def wait(self, until: str) -> None:
        """Poll until a packet with this prefix has arrived."""
        while not any(packet.startswith(until) for packet in self.receive()):
            continue


def frames(stream: bytes | bytearray) -> Iterator[bytes]:
    """Yield the frames of a stream that ends with a complete one."""
    at = 0
    while at < len(stream):
        begun, size, at = at, stream[at + 1], at + 2
        if size == 126:
            size, at = int.from_bytes(stream[at : at + 2], "big"), at + 2
        at += size
        yield bytes(stream[begun:at])
    assert at == len(stream), "a frame is not whole"


def text(frame: bytes) -> str:
    """Return the text of a frame."""
    return frame[4 if frame[1] == 126 else 2 :].decode()
