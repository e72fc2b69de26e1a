"""A relayed conversation in the test, fed with HTTP and WebSocket messages of both sides."""

from typing import Any

from nsroom.proxy.addresses import Addresses
from nsroom.proxy.heartbeats import Heartbeats
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.traffic import Conversation
from nsroom.record import Direction, Record
from tests.frames import MASK, frame

IN, OUT = Direction.IN, Direction.OUT
HANDSHAKE = (
    '0{"sid":"eio","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}'
)


def new_sessions(raw: bool = False, heartbeats: Heartbeats | None = None) -> Sessions:
    return Sessions(Notices("http://a", print), raw, heartbeats)


class Talk:
    """A conversation fed with data, one microsecond apart."""

    def __init__(self, sessions: Sessions | None = None, drops: Any = None, insert: Any = None) -> None:
        sessions = new_sessions(raw=True) if sessions is None else sessions
        self.conversation = Conversation(sessions, Addresses("http://a"), drops, insert)
        self._changes = drops is not None or insert is not None
        self.at = 0

    def feed(self, direction: Direction, data: bytes) -> list[Record]:
        self.at += 1
        seen = self.conversation.feed(direction, data, self.at)
        if not self.conversation.is_switching and not self._changes:
            assert b"".join(each.data for each in seen) == data
        return [record for each in seen for record in each.records]

    def ask(self, query: str, method: str = "GET", body: str = "", more: str = "") -> list[Record]:
        length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
        head = f"{method} /socket.io/?EIO=4&{query} HTTP/1.1\r\nHost: a\r\n{length}{more}\r\n"
        return self.feed(OUT, head.encode() + body.encode())

    def answer(self, body: str | bytes, status: str = "200 OK", more: str = "") -> list[Record]:
        data = body if isinstance(body, bytes) else body.encode()
        return self.feed(
            IN, f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n{more}\r\n".encode() + data
        )

    def upgrade(self, query: str = "transport=websocket", more: str = "") -> None:
        assert self.ask(query, more="Connection: Upgrade\r\nUpgrade: websocket\r\n") == []
        assert self.conversation.is_switching
        self.feed(IN, f"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n{more}\r\n".encode())
        assert not self.conversation.is_switching

    def say(self, text: str | bytes, direction: Direction = OUT) -> list[Record]:
        data = text.encode() if isinstance(text, str) else text
        opcode = 1 if isinstance(text, str) else 2
        return self.feed(direction, frame(opcode, data, mask=MASK if direction is OUT else b""))

    def hear(self, text: str | bytes) -> list[Record]:
        return self.say(text, IN)
