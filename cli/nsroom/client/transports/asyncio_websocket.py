"""A client's WebSocket on an asyncio transport, without an HTTP library. RFC 6455.

Importing one takes longer than everything else that `nsroom emit` does.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import cast

from nsroom.protocol import http11
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.websocket import Message, Opcode, Reader, accept, client_frame, close_reason

_AT_ONCE = 32 * 1024
"""Bytes that are read before their messages are passed on: more of them only leave the processor's caches."""
_HTTP = b"HTTP/1."
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
_NO_STATUS, _ABNORMAL, _PROTOCOL_ERROR, _NOT_UTF_8 = 1005, 1006, 1002, 1007


def switched(answer: http11.Head, key: str) -> bool:
    """Tell whether this is the answer to a request with that key that makes it a WebSocket."""
    return answer.status == 101 and answer.get("sec-websocket-accept") == accept(key)


class WebSocket(asyncio.BufferedProtocol):
    """The client's side of one WebSocket.

    Messages are given to `on_messages`, as many at once as came at once, text as str; a pong goes to
    `on_pong`. `closed` is done when no more will come, and `close_code` says why.
    """

    def __init__(
        self, on_messages: Callable[[Sequence[str | bytes]], None], on_pong: Callable[[bytes], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.response: asyncio.Future[http11.Head] = loop.create_future()
        """The answer to the handshake; ValueError for what is no HTTP, ConnectionError for none."""
        self.closed: asyncio.Future[None] = loop.create_future()
        self.close_code: int | None = None
        """RFC 6455, section 7.4; 1006 where the connection broke."""
        self._on_messages = on_messages
        self._on_pong = on_pong
        self._http = http11.Reader(lambda head: http11.response_framing(head, "GET"))
        self._frames = Reader(limit=LIMITS.frame)
        self._buffer = memoryview(bytearray(_AT_ONCE))
        self._first = b""
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._saying_goodbye = False

    async def shake(self, request: str) -> http11.Head:
        """Ask for the WebSocket with this head; give the head of the answer, see `switched`.

        Raises: ValueError for what is no HTTP, ConnectionError.
        """
        self._open.write(request.encode())
        return await self.response

    @property
    def _open(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        return self._transport

    def send(self, data: str | bytes) -> None:
        """Send a message. Raises: ConnectionError."""
        if isinstance(data, str):
            self._send(Opcode.TEXT, data.encode())
        else:
            self._send(Opcode.BINARY, data)

    def ping(self, token: bytes) -> None:
        """Send a ping, whose pong goes to `on_pong`. Raises: ConnectionError."""
        self._send(Opcode.PING, token)

    def _send(self, opcode: Opcode, payload: bytes) -> None:
        if self._saying_goodbye:
            raise ConnectionResetError("the connection is closing")
        self._open.write(client_frame(opcode, payload, os.urandom(4)))

    async def drain(self) -> None:
        """Wait while the wire is full. Raises: ConnectionError."""
        if self._writable is not None:
            await self._writable

    async def close(self) -> None:
        """Say goodbye, and wait until the other side has."""
        if not self.closed.done():
            self._say_goodbye(1000)
            await asyncio.shield(self.closed)

    def leave(self) -> None:
        """Say goodbye, and end the connection without waiting for the other side's."""
        self._say_goodbye(1000)
        self._finish(1000)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Read nothing until `resume`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Give the room for what comes next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        data = bytes(self._buffer[:nbytes])
        if self.response.done():
            self._read(data)
        else:
            self._shaken(data)

    def _shaken(self, data: bytes) -> None:
        self._first = (self._first + data)[: len(_HTTP)]
        if not _HTTP.startswith(self._first):
            self._refuse("it is no HTTP")
            return
        for part in self._http.feed(data):
            if isinstance(part, http11.Opaque) and self.response.done():
                self._read(part.raw)
            elif isinstance(part, http11.Opaque):
                self._refuse(part.why)
            elif isinstance(part, http11.Head) and part.status >= 101 and not self.response.done():
                self.response.set_result(part)

    def _refuse(self, why: str) -> None:
        if not self.response.done():
            self.response.set_exception(ValueError(why))
            self.response.exception()  # it may have come unasked

    def _read(self, data: bytes) -> None:
        try:
            if (texts := self._frames.texts(data)) and not self.closed.done():
                self._on_messages(texts)
            for message in self._frames.feed(b""):
                self._take(message)
        except UnicodeEncodeError:
            self._fail(_NOT_UTF_8)
        except ValueError:
            self._fail(_PROTOCOL_ERROR)

    def _take(self, message: Message) -> None:
        opcode, data = message.opcode, message.data
        if opcode is _TEXT or opcode is _BINARY:
            if isinstance(data, str) and not data.isascii():
                data.encode()  # what was no UTF-8 is now surrogates, for which this raises
            if not self.closed.done():
                self._on_messages([data])
        elif isinstance(data, bytes):
            self._control(opcode, data)

    def _control(self, opcode: Opcode, data: bytes) -> None:
        if opcode is Opcode.PONG:
            self._on_pong(data)
        elif opcode is Opcode.PING:
            with contextlib.suppress(ConnectionError):  # that it ends is told soon
                self._send(Opcode.PONG, data)
        elif opcode is Opcode.CLOSE:
            code, _ = close_reason(data)
            self._say_goodbye(1000 if code is None else code)
            self._finish(_NO_STATUS if code is None else code)

    def _fail(self, code: int) -> None:
        self._say_goodbye(code)
        self._finish(code)

    def _say_goodbye(self, code: int) -> None:
        if not self._saying_goodbye and self._transport is not None and not self._transport.is_closing():
            self._send(Opcode.CLOSE, code.to_bytes(2, "big"))
            self._saying_goodbye = True

    def _finish(self, code: int) -> None:
        """Take nothing more; what was written is still sent."""
        if not self.closed.done():
            self.close_code = code
            self.closed.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def pause_writing(self) -> None:
        """Let `drain` wait."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let `drain` go on."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits."""
        lost = exc if isinstance(exc, ConnectionError) else ConnectionResetError("the connection was lost")
        for waiting in (self.response, self._writable):
            if waiting is not None and not waiting.done():
                waiting.set_exception(lost)
                waiting.exception()  # nobody may be waiting
        self._finish(_ABNORMAL)
