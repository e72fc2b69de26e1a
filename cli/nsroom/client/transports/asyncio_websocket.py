"""A WebSocket client on asyncio's buffered protocol. RFC 6455.

It uses no HTTP library: importing one takes longer than the rest of `nsroom emit`.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable, Sequence
from typing import cast

from nsroom.protocol import http11
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.websocket import (
    Message,
    Opcode,
    Reader,
    accept,
    client_frame,
    client_frames,
    close_reason,
    control_fault,
)

_BUFFER_SIZE = 32 * 1024
"""Bytes to read before their messages are passed on: more would not stay in the processor's caches."""
_HTTP = b"HTTP/1."
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
_NO_STATUS, _ABNORMAL, _PROTOCOL_ERROR, _NOT_UTF_8 = 1005, 1006, 1002, 1007


def is_accepted(answer: http11.Head, key: str) -> bool:
    """Return whether the server switched to WebSocket, for a request with this key."""
    return answer.status == 101 and answer.get("sec-websocket-accept") == accept(key)


class WebSocket(asyncio.BufferedProtocol):
    """The client's side of one WebSocket.

    `on_messages` is called with the messages that arrived together, text as str; `on_pong` with the data of a
    pong. `closed` is done after the last message; `close_code` is the reason.
    """

    def __init__(
        self, on_messages: Callable[[Sequence[str | bytes]], None], on_pong: Callable[[bytes], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.response: asyncio.Future[http11.Head] = loop.create_future()
        """The answer to the handshake; ValueError if it is not HTTP, ConnectionError without one."""
        self.closed: asyncio.Future[None] = loop.create_future()
        self.close_code: int | None = None
        """RFC 6455, section 7.4; 1006 for a broken connection."""
        self.close_reason = ""
        """The text of the server's close frame."""
        self.fault: str | None = None
        """How the server broke the protocol, so that this side closed the connection."""
        self._on_messages = on_messages
        self._on_pong = on_pong
        self._http = http11.Reader(lambda head: http11.response_framing(head, "GET"))
        self._frames = Reader(limit=LIMITS.frame, may_mask=False)
        self._buffer = memoryview(bytearray(_BUFFER_SIZE))
        self._first_bytes = b""
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._close_sent = False

    async def handshake(self, request: str) -> http11.Head:
        """Send the head of a request; return the head of the answer, for `is_accepted`.

        Raises: ValueError for an answer that is not HTTP, ConnectionError.
        """
        self._open.write(request.encode())
        return await self.response

    @property
    def _open(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        return self._transport

    def send(self, *messages: str | bytes) -> None:
        """Send messages in one piece. Raises: ConnectionError before anything is sent."""
        self._write(client_frames(messages, os.urandom(4 * len(messages))))

    def ping(self, token: bytes) -> None:
        """Send a ping; `on_pong` is called with its pong. Raises: ConnectionError."""
        self._send(Opcode.PING, token)

    def _send(self, opcode: Opcode, payload: bytes) -> None:
        self._write(client_frame(opcode, payload, os.urandom(4)))

    def _write(self, frames: bytes) -> None:
        if self._close_sent:
            raise ConnectionResetError("the connection is closing")
        self._open.write(frames)

    async def drain(self) -> None:
        """Wait while the wire is full. Raises: ConnectionError."""
        if self._writable is not None:
            await self._writable

    async def close(self) -> None:
        """Send a close frame, and wait for that of the server."""
        if not self.closed.done():
            self._send_close(1000)
            await asyncio.shield(self.closed)

    def close_now(self) -> None:
        """Send a close frame, and end the connection without waiting for that of the server."""
        self._send_close(1000)
        self._finish(1000)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Stop reading until `resume`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Handle the new connection."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return the buffer for the next data."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle received data."""
        data = bytes(self._buffer[:nbytes])
        if self.response.done():
            self._read(data)
        else:
            self._read_response(data)

    def _read_response(self, data: bytes) -> None:
        self._first_bytes = (self._first_bytes + data)[: len(_HTTP)]
        if not _HTTP.startswith(self._first_bytes):
            self._refuse("not an HTTP response")
            return
        for part in self._http.feed(data):
            if isinstance(part, http11.Opaque) and self.response.done():
                self._read(part.raw)
            elif isinstance(part, http11.Opaque):
                self._refuse(part.reason)
            elif isinstance(part, http11.Head) and part.status >= 101 and not self.response.done():
                self.response.set_result(part)

    def _refuse(self, why: str) -> None:
        if not self.response.done():
            self.response.set_exception(ValueError(why))
            self.response.exception()  # marked as retrieved: `handshake` may not be waiting

    def _read(self, data: bytes) -> None:
        try:
            if (messages := self._frames.messages(data)) and not self.closed.done():
                self._on_messages(messages)
            for message in self._frames.feed(b""):
                self._on_message(message)
        except UnicodeEncodeError:
            self._fail(_NOT_UTF_8, "a text that is not UTF-8")
        except ValueError as error:
            self._fail(_PROTOCOL_ERROR, str(error))

    def _on_message(self, message: Message) -> None:
        opcode, data = message.opcode, message.data
        if opcode is _TEXT or opcode is _BINARY:
            if isinstance(data, str) and not data.isascii():
                data.encode()  # invalid UTF-8 became surrogates, which this refuses
            if not self.closed.done():
                self._on_messages([data])
        elif isinstance(data, bytes):
            if fault := control_fault(message):
                raise ValueError(fault)
            self._on_control(opcode, data)

    def _on_control(self, opcode: Opcode, data: bytes) -> None:
        if opcode is Opcode.PONG:
            self._on_pong(data)
        elif opcode is Opcode.PING:
            with contextlib.suppress(ConnectionError):  # `closed` reports it
                self._send(Opcode.PONG, data)
        elif opcode is Opcode.CLOSE:
            code, reason = close_reason(data)
            if not self.closed.done():
                self.close_reason = reason
            self._send_close(1000 if code is None else code)
            self._finish(_NO_STATUS if code is None else code)

    def _fail(self, code: int, fault: str) -> None:
        if not self.closed.done():
            self.fault = fault
        self._send_close(code)
        self._finish(code)

    def _send_close(self, code: int) -> None:
        if not self._close_sent and self._transport is not None and not self._transport.is_closing():
            self._send(Opcode.CLOSE, code.to_bytes(2, "big"))
            self._close_sent = True

    def _finish(self, code: int) -> None:
        """Ignore further data; written data is still sent."""
        if not self.closed.done():
            self.close_code = code
            self.closed.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def pause_writing(self) -> None:
        """Make `drain` wait."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Make `drain` return."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end: fail everything that waits for the connection."""
        lost = exc if isinstance(exc, ConnectionError) else ConnectionResetError("the connection was lost")
        # With TLS 1.3 a server refuses a client's certificate after the handshake.
        refused = exc if isinstance(exc, ssl.SSLError) else lost
        for waiting, error in ((self.response, refused), (self._writable, lost)):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # marked as retrieved: nothing may wait for it
        self._finish(_ABNORMAL)
