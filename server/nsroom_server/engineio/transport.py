"""A TCP transport that can hold back what is written to it."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod


class CorkableTransport:
    """A transport as aiohttp sees it; everything but writing is left to the transport inside.

    aiohttp writes the answer to a WebSocket handshake by itself. While the transport is corked, that is held
    back, so that it can be sent in one piece with the first packet.
    """

    __slots__ = ("_flush", "_held", "inner", "socket")

    def __init__(self, inner: asyncio.Transport, socket: socket.socket | None = None) -> None:
        """`socket` is the transport's, if what is written to it goes out unchanged: without TLS."""
        self.inner = inner
        self.socket = socket
        self._held: bytes | None = None
        self._flush: WeakMethod[Callable[[], None]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport inside knows, but not its socket.

        aiohttp would set options of it that the loop has set already.
        """
        return default if name == "socket" else self.inner.get_extra_info(name, default)

    def write(self, data: bytes) -> None:
        """Write data, or hold it back."""
        if self._held is not None:
            self._held += data
            return
        if self._flush and (flush := self._flush()):
            flush()
        self.inner.write(data)

    def cork(self, flush: Callable[[], None]) -> None:
        """Hold back what is written until `uncork`; `flush` is called before each write after that.

        So what aiohttp writes later by itself, a PONG or a CLOSE, comes after the frames that are queued.
        """
        self._held = b""
        # Weak: a WebSocket is freed without waiting for the garbage collector.
        self._flush = WeakMethod(flush)

    def uncork(self) -> bytes:
        """Return what was held back, and hold back nothing from now on."""
        held, self._held = self._held or b"", None
        return held
