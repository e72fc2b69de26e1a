"""aiohttp, for connections that may use no TLS."""

import contextlib
import ssl
from collections.abc import Iterator


@contextlib.contextmanager
def _without_certificates() -> Iterator[None]:
    """Keep aiohttp from reading the system's certificates (50 ms).

    The context that it makes instead trusts nobody: `connection` makes its own when TLS is needed.
    """
    original = ssl.create_default_context
    ssl.create_default_context = lambda *_args, **_options: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        ssl.create_default_context = original


with _without_certificates():
    import aiohttp as aiohttp
