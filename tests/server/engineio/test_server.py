"""The Engine.IO server: its counters, handlers that fail, and the end of all sessions."""

import asyncio

import aiohttp
import pytest

from nsroom_server.app import Running, serving
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Session
from nsroom_server.settings.config import Config
from tests.server.member import Serve
from tests.server.wire import endpoint, handshake, poll


def engine_of(running: Running) -> Engine:
    assert running.server
    return running.server.engine


async def test_sessions_and_their_ends_are_counted(serve: Serve, http: aiohttp.ClientSession) -> None:
    engine = engine_of(running := await serve())
    session = await poll(http, running)
    assert list(engine.sessions) == [session.sid]
    assert await session.post("1") == 200
    assert not engine.sessions
    assert engine.close_reasons == {"client disconnect": 1}


async def test_refusals_are_counted_by_reason(serve: Serve, http: aiohttp.ClientSession) -> None:
    engine = engine_of(running := await serve())
    async with http.get(f"{running.url}/socket.io/?EIO=3&transport=polling") as response:
        assert response.status == 400
    assert engine.counts["Unsupported protocol version"] == 1


async def test_a_handler_that_fails_closes_its_session(
    serve: Serve, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(running := await serve())

    async def fail(_session: Session, _data: str | bytes) -> None:
        raise ZeroDivisionError("a bug")

    engine.on("message", fail)
    sid = (await handshake(http, running))["sid"]
    async with http.post(endpoint(running, "polling", sid), data="40") as response:
        assert response.status == 400
    assert engine.close_reasons == {"server disconnect": 1}
    assert "message failed" in caplog.text


async def test_draining_delivers_the_queue_and_refuses_new_sessions(http: aiohttp.ClientSession) -> None:
    async with serving(Config(port=0, drain=2)) as running:
        engine = engine_of(running)
        session = await poll(http, running)
        waiting = asyncio.create_task(session.get())
        await asyncio.sleep(0.05)
        await engine.drain(1)
        assert await waiting == (200, "6")
        assert (engine.undelivered, engine.sessions) == (0, {})
        async with http.get(f"{running.url}/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 503
