"""The chat's tests of its events again, with every other client on another server."""

from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import pytest

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import Valkey
from tests.server.chat import (
    test_catchup,
    test_delivery,
    test_handlers,
    test_lab,
    test_namespaces,
    test_presence,
)
from tests.server.member import Connect, Member, Serve

_SINGLE_SERVER = {
    # These break the history file; test_history.py and test_delivery.py break Redis.
    "test_the_chat_goes_on_when_the_store_fails",
    "test_a_locked_file_holds_nobody_up",
    # These expect events at once; test_cluster.py and test_presence.py wait for other servers.
    "test_everyone_in_the_namespace_is_greeted",
    "test_lab_kick",
    "test_presence",
}
for _module in (test_catchup, test_delivery, test_handlers, test_lab, test_namespaces, test_presence):
    for _name, _test in vars(_module).items():
        if _name.startswith("test_") and callable(_test) and _name not in _SINGLE_SERVER:
            globals()[_name] = _test


@pytest.fixture
def twins() -> dict[str, Running]:
    """The second server of each pair."""
    return {}


@pytest.fixture
def serve(stack: AsyncExitStack, bus: Valkey, twins: dict[str, Running]) -> Serve:
    """Start a cluster of two servers, and return the first."""

    async def start(**options: Any) -> Running:
        keep = options.pop("history", None) is not None
        config = Config(port=0, redis=bus.url, keep_messages=keep, **{"drain": 1, **options})
        first, second = [await stack.enter_async_context(serving(config)) for _ in range(2)]
        twins[first.url] = second
        return first

    return start


@pytest.fixture
def connect(connect: Connect, twins: dict[str, Running]) -> Connect:
    """Connect members to the two servers in turn."""
    turns = cycle([False, True])

    async def start(running: Running, *namespaces: str, **options: Any) -> Member:
        return await connect(twins[running.url] if next(turns) else running, *namespaces, **options)

    return start
