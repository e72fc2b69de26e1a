"""Transports, the upgrade between them, and sticky sessions."""

import json

import pytest

from nsroom.client.target import Transport
from nsroom.doctor.checks.transports import (
    check_polling,
    check_sticky,
    check_transports,
    check_upgrade,
    check_websocket,
    offered_transports,
)
from nsroom.doctor.finding import State
from nsroom_server.settings.faults import Faults
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad


async def test_a_healthy_server(examine: Examine, reference: Reference) -> None:
    examination = await examine((await reference()).url)
    assert await offered_transports(examination) == (True, True)
    found = [
        (await check(examination)).found
        for check in (check_transports, check_websocket, check_sticky, check_upgrade)
    ]
    assert found == [
        "polling and websocket",
        "101 and handshake",
        "8 requests of one session over new connections, all accepted",
        "101, probe and switch",
    ]
    assert (await check_polling(examination)).found.startswith("a waiting poll was answered ")


@pytest.mark.parametrize(
    ("transport", "skipped"),
    [
        (Transport.WEBSOCKET, (check_sticky, check_polling, check_upgrade)),
        (Transport.POLLING, (check_websocket, check_upgrade)),
    ],
)
async def test_transports_that_are_not_used_are_skipped(
    examine: Examine, transport: Transport, skipped: tuple[object, ...]
) -> None:
    examination = await examine("http://127.0.0.1:1", transport=transport)
    for check in skipped:
        assert (await check(examination)).state is State.SKIPPED  # type: ignore[operator]


@pytest.mark.parametrize(
    ("transport", "state", "found"),
    [
        (Transport.AUTO, State.WARNING, "websocket only: clients start with polling by default, and fail"),
        (Transport.WEBSOCKET, State.OK, "websocket only, as requested"),
    ],
)
async def test_websocket_only(examine: Examine, transport: Transport, state: State, found: str) -> None:
    async with bad.sends() as url:
        finding = await check_transports(await examine(url, transport=transport, connect_timeout=0.5))
    assert (finding.state, finding.found) == (state, found)


@pytest.mark.parametrize(
    ("transport", "state", "found"),
    [
        (Transport.AUTO, State.WARNING, "polling only: each message is a request"),
        (Transport.WEBSOCKET, State.FAILED, "polling only, but --transport websocket was given"),
        (Transport.POLLING, State.OK, "polling only, as requested"),
    ],
)
async def test_polling_only(examine: Examine, transport: Transport, state: State, found: str) -> None:
    async with bad.answers(200, "0" + json.dumps(bad.OPEN)) as url:
        finding = await check_transports(await examine(url, transport=transport, connect_timeout=0.5))
    assert finding.state is state
    assert finding.found.startswith(found)


async def test_a_cached_handshake(examine: Examine) -> None:
    async with bad.answers(200, "0" + json.dumps(bad.OPEN)) as url:
        finding = await check_polling(await examine(url, transport=Transport.POLLING, connect_timeout=0.5))
    assert finding.state is State.FAILED
    assert "returned the same session: a cache" in finding.found


async def test_a_refused_websocket(examine: Examine, reference: Reference) -> None:
    server = await reference(faults=Faults(no_upgrade=True))
    finding = await check_upgrade(await examine(server.url))
    assert finding.state is State.FAILED
    assert "instead of 101: does a proxy drop the Upgrade header?" in finding.found
