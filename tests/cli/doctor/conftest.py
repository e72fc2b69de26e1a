"""A fixture that examines a server without the command."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.client.target import Target
from nsroom.doctor.examination import Examination, Options
from nsroom.doctor.probes.http import HttpClient

Examine = Callable[..., Awaitable[Examination]]


@pytest.fixture(autouse=True)
def _no_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def examine() -> AsyncIterator[Examine]:
    """Start an examination: `await examine(url, Options(), connect_timeout=1.0)`."""
    async with AsyncExitStack() as stack:

        async def start(url: str, options: Options | None = None, **target: Any) -> Examination:
            wanted = Target(url=url, **{"namespaces": ("/",), "connect_timeout": 2.0, **target})
            http = await stack.enter_async_context(HttpClient(wanted))
            examination = Examination(wanted, options or Options(), http)
            stack.push_async_callback(examination.close)
            return examination

        yield start
