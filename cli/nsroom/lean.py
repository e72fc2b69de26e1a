"""The libraries that are slow to import, imported without what a client of a Socket.IO server does not need.

Import them from here: where they were imported before, this saves nothing.
"""

import contextlib
import ssl
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def _without_certificates() -> Iterator[None]:
    """Keep aiohttp from reading the system's certificates (50 ms) for connections that may use no TLS.

    The context that it makes instead trusts nobody: `connection` makes its own when TLS is needed.
    """
    original = ssl.create_default_context
    ssl.create_default_context = lambda *_args, **_options: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        ssl.create_default_context = original


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Keep a package from looking for others, which it would do without."""
    modules: dict[str, Any] = sys.modules
    absent = set(names) - modules.keys()
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


with _without_certificates():
    import aiohttp as aiohttp

with _without("redis", "valkey", "kombu", "aio_pika", "zmq", "requests", "websocket"):
    import engineio as engineio
    import socketio as socketio
