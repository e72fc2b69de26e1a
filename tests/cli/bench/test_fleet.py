"""Clients connect, are lost, and are closed."""

import asyncio
import time

from nsroom.bench.fleet import Fleet, encode_event, room_name
from tests.cli.bench.conftest import Connected
from tests.cli.bench.plans import make_plan
from tests.cli.clients import Reference
from tests.peers import bad


async def test_all_clients_connect(reference: Reference) -> None:
    fleet = Fleet(make_plan((await reference()).url))
    await fleet.connect()
    assert len(fleet.connections) == fleet.tally.sent == fleet.tally.answered == 4
    assert fleet.tally.histogram.total == 4
    assert not fleet.tally.errors
    assert sorted(each.member.client for each in fleet.connections) == [0, 1, 2, 3]
    fleet.close()


async def test_a_ramp_spreads_connecting(reference: Reference) -> None:
    fleet = Fleet(make_plan((await reference()).url, ramp=0.4))
    start = time.monotonic()
    await fleet.connect()
    assert time.monotonic() - start >= 0.3
    assert len(fleet.connections) == 4
    fleet.close()


async def test_refused_clients_are_errors(reference: Reference) -> None:
    fleet = Fleet(make_plan((await reference(token="secret")).url))
    await fleet.connect()
    assert fleet.connections == []
    assert sum(fleet.tally.errors.values()) == 4
    assert all(cause.startswith("refused: ") for cause in fleet.tally.errors)


async def test_a_closed_port_is_an_error_of_each_client() -> None:
    async with bad.refuses_connections() as url:
        fleet = Fleet(make_plan(url))
        await fleet.connect()
    assert fleet.tally.errors == {"connection refused": 4}


async def test_a_silent_server_times_out() -> None:
    async with bad.open_then_silence() as url:
        fleet = Fleet(make_plan(url, connect_timeout=0.2))
        await fleet.connect()
    assert fleet.tally.errors == {"no connection within 0.2 s": 4}


async def test_stopping_cancels_connecting() -> None:
    async with bad.open_then_silence() as url:
        fleet = Fleet(make_plan(url, connect_timeout=30))
        connecting = asyncio.create_task(fleet.connect())
        await asyncio.sleep(0.1)
        fleet.stop.set()
        await asyncio.wait_for(connecting, 5)
    assert fleet.connections == []


async def test_lost_connections_stop_the_step() -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.reset()

    async with bad.conversation(script) as url:
        fleet = Fleet(make_plan(url, namespace="/"))
        await fleet.connect()
        assert not await asyncio.wait_for(fleet.wait(30), 10)
    assert fleet.connections == []
    assert all(cause.startswith("connection lost: ") for cause in fleet.tally.errors)


async def test_waiting(connected: Connected, reference: Reference) -> None:
    fleet = await connected((await reference()).url)
    assert await fleet.wait(0)
    fleet.stop.set()
    assert not await fleet.wait(30)


def test_names_and_events_of_a_room() -> None:
    name = room_name(make_plan("http://localhost:3000"), 3)
    assert name == "nsroom-bench-test-3"
    assert encode_event(["say", "{room}", {"t": "{text}"}], name, "x") == (
        b'["say","nsroom-bench-test-3",{"t":"x"}]'
    )
