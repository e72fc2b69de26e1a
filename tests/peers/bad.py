"""Peers that a client meets on a bad day: one context manager each, giving the URL to connect to.

They write bytes and Engine.IO frames by hand, so that they may break the protocol at will.
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Peer = AbstractAsyncContextManager[str]
OPEN = {"sid": "eio", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}


def _reset(transport: asyncio.WriteTransport) -> None:
    """Close so that the other side sees a reset: what is still unsent is thrown away."""
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


# Below HTTP -----------------------------------------------------------------------------------------


@asynccontextmanager
async def tcp(talk: Talk) -> AsyncIterator[str]:
    """Listen, and talk to whoever comes; give the URL."""
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, EOFError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations[asyncio.create_task(converse(reader, writer))] = writer

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task, writer in conversations.items():
            task.cancel()
            writer.close()  # a task that has not started closes nothing
        await asyncio.gather(*conversations, return_exceptions=True)


async def _forever() -> None:
    await asyncio.Event().wait()


def refuses_connections() -> Peer:
    """Nobody listens: the port was just given up."""

    @asynccontextmanager
    async def peer() -> AsyncIterator[str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        yield f"http://127.0.0.1:{port}"

    return peer()


def silent() -> Peer:
    """Accept, and say nothing."""

    async def talk(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await _forever()

    return tcp(talk)


def garbage() -> Peer:
    """Answer with bytes that are no HTTP."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes(range(256)) * 16)
        await writer.drain()
        await _forever()

    return tcp(talk)


def speaks_first() -> Peer:
    """Greet as a mail or SSH server does."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        await _forever()

    return tcp(talk)


def closes() -> Peer:
    """Accept, and close at once."""

    async def talk(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    return tcp(talk)


def resets() -> Peer:
    """Accept, and reset at once."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _reset(writer.transport)

    return tcp(talk)


# HTTP without Engine.IO -----------------------------------------------------------------------------


@asynccontextmanager
async def _web(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answers(
    status: int, body: str = "", content_type: str = "text/html", headers: dict[str, str] | None = None
) -> Peer:
    """Answer every request with this."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type, headers=headers)

    return _web(answer)


def html() -> Peer:
    """A web site: 200 and a page, whatever is asked for."""
    return answers(200, "<!doctype html><title>Welcome</title><h1>It works!</h1>")


def empty() -> Peer:
    """200 and nothing."""
    return answers(200, "", "text/plain")


def error_json() -> Peer:
    """500 with a JSON body, as an application's error handler gives it."""
    return answers(500, json.dumps({"error": "internal", "detail": "database down"}), "application/json")


def redirects(to: str = "/login") -> Peer:
    """Send everyone to a log-in page, or elsewhere."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/login":
            return web.Response(text="<h1>Log in</h1>", content_type="text/html")
        return web.Response(status=302, headers={"Location": to})

    return _web(answer)


def plain_websocket(*, echo: bool = False) -> Peer:
    """A WebSocket server that is no Engine.IO server: mute, or an echo."""

    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=0.2)
        if not ws.can_prepare(request):
            return web.Response(status=426, text="WebSocket only")
        await ws.prepare(request)
        async for message in ws:
            if echo and message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
        return ws

    return _web(answer)


# Engine.IO, written by hand -------------------------------------------------------------------------


class Conversation:
    """One connection's frames, over WebSocket."""

    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request = request
        self._ws = ws

    async def send(self, *frames: str | bytes) -> None:
        """Send frames as they are."""
        for frame in frames:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))

    async def receive(self) -> str | bytes:
        """Give the next frame. Raises: ConnectionError at the end."""
        message = await self._ws.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise ConnectionError
        frame: str | bytes = message.data
        return frame

    async def welcome(self, **handshake: Any) -> None:
        """Open, and accept the first namespace that is asked for."""
        await self.send("0" + json.dumps(OPEN | handshake))
        await self.accept(await self.receive())

    async def accept(self, connect: str | bytes) -> None:
        """Answer a CONNECT packet."""
        assert isinstance(connect, str)
        namespace = connect[2:].partition(",")[0] + "," if connect[2:3] == "/" else ""
        await self.send(f'40{namespace}{{"sid":"sio"}}')

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code and a reason."""
        await self._ws.close(code=code, message=reason.encode())

    async def reset(self) -> None:
        """Reset the connection, when what was sent is likely to have been read: a reset takes it back."""
        await asyncio.sleep(0.2)
        assert self._request.transport is not None
        _reset(self._request.transport)


Script = Callable[[Conversation], Awaitable[None]]


def conversation(script: Script, polled: str | None = None) -> Peer:
    """Follow a script over WebSocket, then close; a poll is answered `polled`, the next ones never."""

    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=0.2, max_msg_size=0)
        if not ws.can_prepare(request):
            return await _poll(request, polled)
        await ws.prepare(request)
        with contextlib.suppress(ConnectionError):
            await script(Conversation(request, ws))
        await ws.close()
        return ws

    return _web(answer)


async def ignore(talk: Conversation) -> None:
    """Say nothing at all."""
    await _listen(talk)


async def _listen(talk: Conversation) -> None:
    while True:
        await talk.receive()


async def _poll(request: web.Request, polled: str | None) -> web.Response:
    if polled is None:
        return web.json_response({"code": 0, "message": "Transport unknown"}, status=400)
    if request.method == "POST":
        return web.Response(text="ok")
    if "sid" in request.query:
        await _forever()
    return web.Response(text=polled)


def garbage_open() -> Peer:
    """Open with a handshake that is no JSON."""

    async def script(talk: Conversation) -> None:
        await talk.send("0{garbage")
        await _listen(talk)

    return conversation(script, polled="0{garbage")


def open_then_silence() -> Peer:
    """Open, and never answer anything again, not even the closing of the WebSocket."""

    async def script(talk: Conversation) -> None:
        await talk.send("0" + json.dumps(OPEN))
        await _forever()

    return conversation(script, polled="0" + json.dumps(OPEN))


def open_then_close() -> Peer:
    """Open, and close at once; over polling with a CLOSE packet."""

    async def script(talk: Conversation) -> None:
        await talk.send("0" + json.dumps(OPEN))

    return conversation(script, polled="0" + json.dumps(OPEN) + "\x1e1")


def sends(*frames: str | bytes, handshake: dict[str, Any] | None = None) -> Peer:
    """Accept a namespace, send these frames, and go on listening."""

    async def script(talk: Conversation) -> None:
        await talk.welcome(**(handshake or {}))
        await talk.send(*frames)
        await _listen(talk)

    return conversation(script)


def refuses(data: Any) -> Peer:
    """Open, and refuse every namespace with this data."""

    async def script(talk: Conversation) -> None:
        await talk.send("0" + json.dumps(OPEN))
        while True:
            connect = str(await talk.receive())
            namespace = connect[2:].partition(",")[0] + "," if connect[2:3] == "/" else ""
            await talk.send(f"44{namespace}{json.dumps(data)}")

    return conversation(script)


def late_acks(delay: float) -> Peer:
    """Accept everything, and acknowledge each event only after `delay` seconds."""

    async def script(talk: Conversation) -> None:
        await talk.welcome()
        while True:
            await _acknowledge(talk, await talk.receive(), delay)

    return conversation(script)


async def _acknowledge(talk: Conversation, frame: str | bytes, delay: float) -> None:
    if not isinstance(frame, str) or not frame.startswith("42"):
        return
    head = frame[2:].partition("[")[0]
    if head[-1:].isdigit():
        await asyncio.sleep(delay)
        await talk.send(f'43{head}["late"]')


def resets_after_sending(frames: Iterable[str]) -> Peer:
    """Accept a namespace, send these frames, and reset."""

    async def script(talk: Conversation) -> None:
        await talk.welcome()
        await talk.send(*frames)
        await talk.reset()

    return conversation(script)


def resets_after_receiving(count: int) -> Peer:
    """Acknowledge `count` events, and reset at the next one."""

    async def script(talk: Conversation) -> None:
        await talk.welcome()
        for _ in range(count):
            await _acknowledge(talk, await talk.receive(), 0)
        await talk.receive()
        await talk.reset()

    return conversation(script)
