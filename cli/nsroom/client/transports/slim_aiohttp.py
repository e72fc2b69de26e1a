"""Import aiohttp without the parts a client does not need, unless nsroom is a library of another program."""

import contextlib
import ssl
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _without_certificates() -> Iterator[None]:
    """Stop aiohttp from reading the system's certificates at import (50 ms).

    Its default context trusts no authority then; each connection that needs TLS makes its own context.
    """
    original = ssl.create_default_context
    ssl.create_default_context = lambda *_args, **_options: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        ssl.create_default_context = original


IS_LIBRARY = "nsroom.api" in sys.modules
"""Whether another program imported nsroom: it may need the parts that we leave out."""

with contextlib.nullcontext() if IS_LIBRARY else _without_certificates():
    import aiohttp as aiohttp
