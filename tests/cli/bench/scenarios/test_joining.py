"""Clients join their rooms."""

import time

from nsroom.bench.scenarios.joining import Joining
from tests.cli.bench.conftest import Connected
from tests.cli.clients import Reference
from tests.peers import bad


async def test_all_clients_join(connected: Connected, reference: Reference) -> None:
    server = await reference()
    fleet = await connected(server.url, clients=60, rooms=2)
    await Joining(fleet).run()
    assert fleet.tally.sent == fleet.tally.answered == 60
    assert not fleet.tally.errors


async def test_refused_joins_are_errors(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url, join="nonsense")
    await Joining(fleet).run()
    assert fleet.tally.errors == {"refused to join: unknown_event": 4}


async def test_a_server_without_acknowledgements_is_not_waited_for_twice(connected: Connected) -> None:
    async with bad.sends() as url:
        fleet = await connected(url, namespace="/", clients=110)
        start = time.monotonic()
        await Joining(fleet).run()
        assert time.monotonic() - start < 3.5
    assert (fleet.tally.sent, fleet.tally.answered) == (110, 0)
