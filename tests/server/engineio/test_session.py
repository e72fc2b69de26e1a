"""A session in each of its states: polling, upgrading, closed; slow readers are in `test_slow_readers`."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from nsroom_server.engineio.close_reasons import (
    CLIENT_DISCONNECT,
    SERVER_DISCONNECT,
    SHUTTING_DOWN,
    SLOW_READER,
    CloseReason,
)
from nsroom_server.engineio.packets import Incoming, PacketType, messages
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import DuplicatePoll, Options, Session
from nsroom_server.errors import Malformed
from nsroom_server.settings.limits import Limits
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import closing, endpoint, poll, websocket

LIMITS = Limits(queued_frames=4, bytes_per_second=1000, bytes_burst=100)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An Engine.IO server without a network."""
    engine = Engine(Options(limits=LIMITS))
    yield engine
    await engine.drain(1)


@pytest.fixture
async def session(engine: Engine) -> Session:
    """A session of it, on polling."""
    assert engine.address_limits.add_connection("::1", 0) is None
    return engine.open("::1")


async def test_a_poll_takes_the_queue_in_order(session: Session) -> None:
    session.send(*messages(["a"]))
    session.send(*messages(["b", b"\x00\x01\x02"]))
    assert session.queued == 3
    assert await session.poll(2) == "4a\x1e4b"
    assert await session.poll() == "bAAEC"
    assert (session.queued, session.polled) == (0, 1)


async def test_a_pending_poll_is_answered_when_packets_are_sent(session: Session) -> None:
    pending = asyncio.create_task(session.poll())
    await asyncio.sleep(0)
    session.send(*messages(["a", "b"]))
    assert await asyncio.wait_for(pending, WAIT) == "4a\x1e4b"


async def test_a_second_poll_closes_the_session(engine: Engine, session: Session) -> None:
    pending = asyncio.create_task(session.poll())
    await asyncio.sleep(0)
    with pytest.raises(DuplicatePoll):
        await session.poll()
    assert await asyncio.wait_for(pending, WAIT) == "1"
    assert engine.close_reasons == {"transport error": 1}


async def test_an_aborted_poll_closes_the_session(engine: Engine, session: Session) -> None:
    pending = asyncio.create_task(session.poll())
    await asyncio.sleep(0)
    pending.cancel()
    await asyncio.wait([pending])
    assert session.closed
    assert engine.close_reasons == {"transport close": 1}


@pytest.mark.parametrize(
    ("reason", "payload"), [(SERVER_DISCONNECT, "1"), (CLIENT_DISCONNECT, "6"), (SHUTTING_DOWN, "6")]
)
async def test_closing_answers_a_pending_poll(session: Session, reason: CloseReason, payload: str) -> None:
    pending = asyncio.create_task(session.poll())
    await asyncio.sleep(0)
    session.close(reason)
    assert await asyncio.wait_for(pending, WAIT) == payload


async def test_only_the_first_reason_to_close_counts(engine: Engine, session: Session) -> None:
    reasons = []

    async def disconnect(closed: Session, reason: str) -> None:
        assert closed is session
        reasons.append(reason)

    engine.on("disconnect", disconnect)
    session.close(CLIENT_DISCONNECT)
    session.close(SERVER_DISCONNECT)
    assert session.close_task
    await asyncio.wait_for(session.close_task, WAIT)
    assert reasons == ["client disconnect"]
    assert engine.sessions == {}
    session.send(*messages(["late"]))
    assert session.queued == 0


async def test_a_queue_over_its_limit_closes_the_session(engine: Engine, session: Session) -> None:
    session.send(*messages("abcd"))
    assert not session.closed
    session.send(*messages("e"))
    assert session.closed
    assert engine.close_reasons == {SLOW_READER.text: 1}


async def test_draining_waits_for_a_poll(session: Session) -> None:
    session.send(*messages("ab"))
    draining = asyncio.create_task(session.drain())
    await session.poll(1)
    await asyncio.sleep(0)
    assert not draining.done()
    await session.poll()
    assert await asyncio.wait_for(draining, WAIT)


async def test_draining_reports_a_session_that_was_closed(session: Session) -> None:
    session.send(*messages("ab"))
    draining = asyncio.create_task(session.drain())
    await asyncio.sleep(0)
    session.close(CLIENT_DISCONNECT)
    assert not await asyncio.wait_for(draining, WAIT)


@pytest.mark.parametrize(
    "kind",
    [PacketType.OPEN, PacketType.PING, PacketType.UPGRADE, PacketType.NOOP],
    ids=str,
)
async def test_packets_that_clients_must_not_send(session: Session, kind: PacketType) -> None:
    with pytest.raises(Malformed, match="unexpected packet type"):
        await session.receive(Incoming(kind, ""))


async def test_a_client_that_sends_too_many_bytes_waits(engine: Engine, session: Session) -> None:
    received = []

    async def message(_: Session, data: str) -> None:
        received.append(data)

    engine.on("message", message)
    started = time.monotonic()
    for _ in range(3):
        await session.receive(Incoming(PacketType.MESSAGE, "x" * 100))
    assert time.monotonic() - started >= 0.19
    assert received == ["x" * 100] * 3
    assert engine.traffic.bytes_in == 300


async def test_a_client_that_does_not_answer_pings_is_disconnected(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(ping_interval=0.1, ping_timeout=0.1)
    bob = await connect(running)
    async with websocket(http, running) as ws:
        await ws.send_str('42["join","lobby"]')
        await closing(ws)
    assert (await bob.next("delete-room"))["room"] == "lobby"


async def test_a_close_packet_answers_the_pending_poll(serve: Serve, http: aiohttp.ClientSession) -> None:
    session = await poll(http, await serve())
    waiting = asyncio.create_task(session.get())
    await asyncio.sleep(0.05)
    assert await session.post("1") == 200
    assert await asyncio.wait_for(waiting, WAIT) == (200, "6")


async def test_packets_queued_during_an_upgrade_are_sent_to_the_websocket(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve()
    session = await poll(http, running)
    pending = asyncio.create_task(session.get())
    async with http.ws_connect(endpoint(running, "websocket", session.sid)) as ws:
        await ws.send_str("2probe")
        assert await ws.receive_str(timeout=WAIT) == "3probe"
        assert await asyncio.wait_for(pending, WAIT) == (200, "6")
        assert await session.post('421["rooms"]') == 200
        assert await session.get() == (200, "6")
        await ws.send_str("5")
        assert await ws.receive_str(timeout=WAIT) == '431[{"ok":true,"rooms":[]}]'
        assert (await session.get())[0] == 400


async def test_an_upgrade_that_is_broken_off_leaves_the_session_on_polling(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve()
    session = await poll(http, running)
    async with http.ws_connect(endpoint(running, "websocket", session.sid)):
        pass
    await session.post('421["rooms"]')
    async with asyncio.timeout(WAIT):
        while "431" not in (await session.get())[1]:
            continue


async def test_an_upgrade_that_takes_too_long_leaves_the_session_on_polling(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(limits=Limits(connect_timeout=0.2))
    session = await poll(http, running)
    async with http.ws_connect(endpoint(running, "websocket", session.sid)) as ws:
        await ws.send_str("2probe")
        assert await ws.receive_str(timeout=WAIT) == "3probe"
        assert await closing(ws) == 1000
    assert await session.post('421["rooms"]') == 200
    assert (await session.get())[1].startswith("431")
