"""python-socketio and python-engineio, without the back ends that they would look for."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import nsroom.client.transports.slim_aiohttp  # noqa: F401 - before python-engineio imports aiohttp


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


with _without("redis", "valkey", "kombu", "aio_pika", "zmq", "requests", "websocket"):
    import engineio as engineio
    import socketio as socketio
