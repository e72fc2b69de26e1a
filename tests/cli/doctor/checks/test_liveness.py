"""Heartbeats, idle connections and payload limits."""

import asyncio
import json
import re

import pytest

from nsroom.client.target import Transport
from nsroom.doctor.checks.liveness import check_disconnect, check_heartbeat, check_payload, check_soak
from nsroom.doctor.examination import Extras
from nsroom.doctor.finding import State
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad


async def test_a_slow_heartbeat_is_not_waited_for(examine: Examine, reference: Reference) -> None:
    finding = await check_heartbeat(await examine((await reference()).url))
    assert finding.found == "every 25 s, timeout 20 s (use --soak 30 to wait for one)"


async def test_a_heartbeat_slower_than_proxies_allow_is_a_warning(examine: Examine) -> None:
    async with bad.sends(handshake={"pingInterval": 60_000}) as url:
        finding = await check_heartbeat(await examine(url))
    assert finding.state is State.WARNING
    assert finding.found.startswith("every 60 s, timeout 20 s: most proxies")


async def test_a_fast_heartbeat_is_waited_for(examine: Examine) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN | {"pingInterval": 200}))
        await asyncio.sleep(0.1)
        await talk.send("2")
        await talk.receive()

    async with bad.conversation(script) as url:
        finding = await check_heartbeat(await examine(url))
    assert re.match(r"every 0\.2 s, timeout 20 s; one arrived after [\d.]+ m?s", finding.found)


async def test_an_idle_connection(examine: Examine, reference: Reference) -> None:
    url = (await reference()).url
    assert (await check_soak(await examine(url))).state is State.SKIPPED
    finding = await check_soak(await examine(url, "/chat", extras=Extras(soak=0.2)))
    assert finding.found == "open for 0.2 s, 0 heartbeats, over websocket"


async def test_an_idle_connection_that_is_closed(examine: Examine) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()

    async with bad.conversation(script) as url:
        finding = await check_soak(await examine(url, extras=Extras(soak=5)))
    assert finding.state is State.FAILED
    assert finding.found.startswith("closed after ")


async def test_a_client_that_may_stay(examine: Examine, reference: Reference) -> None:
    finding = await check_disconnect(await examine((await reference()).url, "/chat"))
    assert (finding.state, finding.found) == (State.OK, "none within 1 s after CONNECT")


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("41", r"this client is accepted, and [\d.]+ ms later: the server disconnected /"),
        ("1", r"this client is accepted, and [\d.]+ ms later: the server sent CLOSE"),
        ('42["x",NaN]', "a packet that clients cannot read, right after CONNECT: not JSON"),
    ],
)
async def test_a_client_that_may_not_stay(sent: str, found: str, examine: Examine) -> None:
    async with bad.sends(sent) as url:
        finding = await check_disconnect(await examine(url))
    assert finding.state is State.FAILED
    assert re.match(found, finding.found), finding.found


async def test_an_idle_connection_that_the_server_disconnects(examine: Examine) -> None:
    async with bad.sends("41") as url:
        finding = await check_soak(await examine(url, extras=Extras(soak=5)))
    assert finding.state is State.FAILED
    assert "0 heartbeats: the server disconnected /" in finding.found


async def test_a_server_that_answers_no_connect_verifies_no_body(examine: Examine) -> None:
    async with bad.conversation(bad.ignore, polled="0" + json.dumps(bad.OPEN)) as url:
        finding = await check_payload(await examine(url, connect_timeout=0.3, transport=Transport.POLLING))
    assert finding.state is State.SKIPPED
    assert "could not be verified" in finding.found


async def test_the_payload_limit(examine: Examine, reference: Reference) -> None:
    url = (await reference()).url
    found = (await check_payload(await examine(url))).found
    assert found == "maxPayload is 1000000 bytes; a body of 1000000 bytes gets through"
    found = (await check_payload(await examine(url, transport=Transport.WEBSOCKET))).found
    assert found == "maxPayload is 1000000 bytes"
