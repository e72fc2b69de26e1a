"""A fixture that examines a server."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.client.target import Target
from nsroom.doctor.examination import Examination, Extras
from nsroom.doctor.probes.http import HttpClient

Examine = Callable[..., Awaitable[Examination]]


@pytest.fixture
def examine(stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Start an examination: `await examine(url, "/chat", extras=Extras(event="x"))`."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    async def start(url: str, *namespaces: str, extras: Extras | None = None, **options: Any) -> Examination:
        options = {"connect_timeout": 2.0, **options}
        target = Target(url=url, namespaces=namespaces or ("/",), **options)
        http = await stack.enter_async_context(HttpClient(target))
        examination = Examination(target, extras or Extras(), http)
        stack.push_async_callback(examination.close)
        return examination

    return start
