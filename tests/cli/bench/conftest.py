"""A fixture that connects the load-test clients of one worker."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.bench.fleet import Fleet
from nsroom.bench.tally import Tally
from tests.cli.bench.plans import make_plan

Connected = Callable[..., Awaitable[Fleet]]


@pytest.fixture
def connected(stack: AsyncExitStack) -> Connected:
    """Connect a fleet: `await connected(url, clients=4, rate=50)`; its tally is empty afterwards."""

    async def start(url: str, **options: Any) -> Fleet:
        fleet = Fleet(make_plan(url, **options))
        stack.callback(fleet.close)
        await fleet.connect()
        fleet.tally = Tally()
        return fleet

    return start
