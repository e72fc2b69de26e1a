"""Long polling while packets wait: a server that answers as told, and a client's requests."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nsroom.client.events import Emit
from nsroom.filters import parse
from nsroom.proxy.intercepting import Action, Decision
from nsroom.record import Direction
from tests.cli.relaying import WAIT, Relayed, Sink, drained, raw_server, relaying

FORWARD = Decision(Action.FORWARD)
HANDSHAKE = '0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'


@dataclass(slots=True)
class Server:
    """Answers polls with what `polls` has, and keeps what is posted."""

    polls: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    posted: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    heads: list[str] = field(default_factory=list)
    asked: asyncio.Condition = field(default_factory=asyncio.Condition)
    status: str = "200 OK"
    posts: int = 0
    """POSTs under way."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        async with self.asked:
            self.heads.append(head)
            self.asked.notify_all()
        if head.startswith("GET"):
            body = HANDSHAKE if "sid=" not in head else await self._poll(reader)
        else:
            self.posts += 1
            assert self.posts == 1, "two POSTs at a time end a session"
            size = int(re.findall(r"Content-Length: (\d+)", head)[0])
            await self.posted.put((await reader.readexactly(size)).decode())
            await asyncio.sleep(0.01)
            self.posts -= 1
            body = "ok"
        answer = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\nX-Own: 1\r\n\r\n{body}"
        writer.write(answer.encode())

    async def _poll(self, reader: asyncio.StreamReader) -> str:
        polled, closed = asyncio.create_task(self.polls.get()), asyncio.create_task(reader.read())
        await asyncio.wait({polled, closed}, return_when=asyncio.FIRST_COMPLETED)
        if not polled.done():
            polled.cancel()
            await self.posted.put("closed")
            return ""
        closed.cancel()
        return polled.result()

    async def requested(self, count: int) -> None:
        """Wait for so many requests."""
        async with asyncio.timeout(WAIT), self.asked:
            await self.asked.wait_for(lambda: len(self.heads) >= count)

    async def got(self) -> str:
        async with asyncio.timeout(WAIT):
            return await self.posted.get()


@dataclass(slots=True)
class Client:
    """Sends one request on each connection."""

    proxy: Relayed

    async def ask(self, body: str | None = None, sid: str = "&sid=eio") -> str:
        """Return the body of the response."""
        return (await self.whole(body, sid)).partition("\r\n\r\n")[2]

    async def whole(self, body: str | None = None, sid: str = "&sid=eio") -> str:
        reader, writer = await self.proxy.connect()
        method = "GET" if body is None else "POST"
        target = f"/socket.io/?EIO=4&transport=polling{sid}"
        data = (body or "").encode()
        size = f"Content-Length: {len(data)}\r\n" if body is not None else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\n{size}\r\n"
        writer.write(head.encode() + data)
        try:
            return (await drained(reader)).decode()
        finally:
            writer.close()


@asynccontextmanager
async def polling(where: str = "event=wait") -> AsyncIterator[tuple[Client, Server, Relayed]]:
    """Relay to a server, with a session that has connected to the root namespace."""
    server = Server()
    async with raw_server(server.talk) as url, relaying(url, intercept=parse(where)) as proxy:
        client = Client(proxy)
        assert await client.ask(sid="") == HANDSHAKE
        assert await client.ask("40") == "ok"
        assert await server.got() == "40"
        await server.polls.put('40{"sid":"a"}')
        assert await client.ask() == '40{"sid":"a"}'
        yield client, server, proxy


async def test_requests_and_responses_pass_with_their_headers() -> None:
    async with polling() as (client, server, _):
        await server.polls.put('42["a"]')
        answer = await client.whole()
        assert "X-Own: 1\r\n" in answer
        assert answer.endswith('\r\n\r\n42["a"]')
        assert "Cookie: a=1" in server.heads[-1]
        assert await client.ask('42["π"]') == "ok"
        assert await server.got() == '42["π"]'


async def test_a_request_of_which_every_packet_waits_carries_a_heartbeat() -> None:
    async with polling() as (client, server, proxy):
        assert await client.ask('42["wait"]\x1e42["next"]') == "ok"
        assert await server.got() == "3"
        proxy.interceptor.decide(1, FORWARD)
        assert await server.got() == '42["wait"]\x1e42["next"]'
        assert server.heads[-1].startswith("POST ")
        assert "Cookie: a=1" in server.heads[-1]


async def test_a_response_of_which_every_packet_waits_carries_a_noop() -> None:
    async with polling() as (client, server, proxy):
        await server.polls.put('42["wait"]')
        assert await client.ask() == "6"
        waiting = asyncio.create_task(client.ask())
        await server.requested(5)
        proxy.interceptor.decide(1, FORWARD)
        assert await waiting == '42["wait"]'
        # The poll that the server has not answered goes on for the client's next request.
        await server.polls.put('42["later"]')
        assert await client.ask() == '42["later"]'
        assert len(server.heads) == 5


async def test_packets_of_ours_reach_both_sides_at_once() -> None:
    async with polling() as (client, server, proxy):
        waiting = asyncio.create_task(client.ask())
        await server.requested(4)
        proxy.interceptor.emit(None, Direction.IN, Emit("/", "mine", [b"\1"]))
        assert await waiting == '451-["mine",{"_placeholder":true,"num":0}]\x1ebAQ=='
        proxy.interceptor.emit("eio", Direction.OUT, Emit("/", "mine", [2]))
        assert await server.got() == '42["mine",2]'


async def test_posts_take_turns() -> None:
    async with polling() as (client, server, proxy):
        asking = [asyncio.create_task(client.ask(f'42["a",{n}]')) for n in range(3)]
        for n in range(3):
            proxy.interceptor.emit(None, Direction.OUT, Emit("/", "mine", [n]))
        assert [await each for each in asking] == ["ok"] * 3
        got = ""
        while not all(f'["mine",{n}]' in got and f'["a",{n}]' in got for n in range(3)):
            got += await server.got()


async def test_a_client_that_is_gone_ends_the_poll_at_the_server() -> None:
    async with polling() as (client, server, _):
        waiting = asyncio.create_task(client.ask())
        await server.requested(4)
        waiting.cancel()
        assert await server.got() == "closed"


async def test_two_polls_of_a_client_at_a_time() -> None:
    async with polling() as (client, server, _):
        polls = [asyncio.create_task(client.ask()) for _ in range(2)]
        await server.requested(4)
        await server.polls.put('42["a"]')
        await server.requested(5)
        await server.polls.put('42["b"]')
        assert sorted([await poll for poll in polls]) == ['42["a"]', '42["b"]']


async def test_a_stray_poll_does_not_take_over_a_session_that_uses_a_websocket() -> None:
    async with polling() as (client, server, proxy):
        session = proxy.interceptor.interception.find("eio")
        ports = {way: Sink() for way in (Direction.IN, Direction.OUT)}
        session.use(dict(ports))
        proxy.interceptor.polling._polls.clear()
        await server.polls.put("6")
        assert await client.ask() == "6"
        proxy.interceptor.emit(None, Direction.IN, Emit("/", "mine", []))
        assert ports[Direction.IN].sent == ['42["mine"]']


async def test_packets_that_the_server_refuses_are_reported() -> None:
    async with polling() as (_, server, proxy):
        server.status = "400 Bad Request"
        proxy.interceptor.emit(None, Direction.OUT, Emit("/", "mine", []))
        lost = await proxy.seen(kind="gap")
        assert lost.message == "packets to the server were not delivered: the server answered 400 Bad Request"
        assert lost.message in proxy.said


async def test_waiting_packets_that_a_request_of_the_client_cannot_deliver_are_reported() -> None:
    async with polling() as (client, server, proxy):
        await client.ask('42["wait"]')
        server.status = "400 Bad Request"
        await client.ask("1")
        await proxy.seen(kind="gap")
        assert '42["wait"]\x1e1' in [await server.got() for _ in range(2)]


async def test_an_error_of_the_server_ends_the_session() -> None:
    async with polling() as (client, server, proxy):
        await client.ask('42["wait"]')
        server.status = "400 Bad Request"
        await server.polls.put('{"code":1,"message":"Session ID unknown"}')
        assert "Session ID unknown" in await client.ask()
        assert (await proxy.seen(kind="close")).message == "Session ID unknown"
        assert "connection ended" in str((await proxy.seen(event="wait", reason=ENDED)).reason)


ENDED = "dropped: the connection ended before it was forwarded"


async def test_a_server_that_is_gone() -> None:
    async with raw_server(nothing) as url, relaying(url, intercept=parse("event=x")) as proxy:
        assert "no response of http://127.0.0.1" in await Client(proxy).ask(sid="")


async def nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def test_a_body_that_cannot_be_read_passes() -> None:
    async with polling() as (client, server, proxy):
        await server.polls.put("42")
        assert await client.ask() == "42"
        await proxy.seen(kind="protocol_error")
        assert await client.ask("\x1e") == "ok"
        assert await server.got() == "\x1e"
