"""An interceptor with one session, whose packets are fed by hand: no network."""

from nsroom.channel import Channel
from nsroom.filters import parse
from nsroom.proxy.decisions import parse_command
from nsroom.proxy.intercepting import Session
from nsroom.proxy.interceptor import Interceptor
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Link, Sessions
from nsroom.proxy.upstream import Upstream
from nsroom.record import Direction, Frame, Record
from tests.cli.relaying import Sink

IN, OUT = Direction.IN, Direction.OUT
HANDSHAKE = '0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'


class Running:
    """An interceptor with one session over a WebSocket."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.channel = Channel()
        sessions = Sessions(Notices("http://a", print))
        upstream = Upstream("http://a", "a", 80, None, 1.0)
        self.interceptor = Interceptor(
            parse("event=wait"), sessions, upstream, self.channel, self.said.append
        )
        link = Link(sessions, None, False, "/socket.io/", "websocket")
        self.session: Session = self.interceptor.interception.open(link)
        self.to = {IN: Sink(), OUT: Sink()}
        self.session.use(dict(self.to))
        self.feed(IN, HANDSHAKE)
        self.interceptor.interception.register(self.session)
        self.feed(IN, '40{"sid":"a"}')

    def feed(self, direction: Direction, frame: Frame) -> list[Record]:
        """Let a frame arrive."""
        records = self.session.link.feed(direction, frame, 1)
        return self.session.handle(direction, frame, records, self.to[direction], 1)

    def arrive(self, direction: Direction, *frames: Frame) -> None:
        """Let frames arrive, and put their records into the channel."""
        for frame in frames:
            self.channel.put(self.feed(direction, frame))

    def obey(self, line: str) -> None:
        """Do what a line of stdin says."""
        self.interceptor.obey(parse_command(line.encode()))

    async def records(self) -> list[Record]:
        """Return all records that were put into the channel."""
        self.channel.close()
        return [record async for records in self.channel for record in records]
