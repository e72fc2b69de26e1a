"""The sessions of a server: failing handlers, malformed packets, and shutting down."""

import asyncio
import logging

import aiohttp
import pytest

from nsroom_server.engineio.packets import messages
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Session
from nsroom_server.errors import Malformed
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import closing, websocket

MALFORMED = [
    "9",
    "b!",
    "4",
    "42[",
    "42{}",
    "42[]",
    "42[null]",
    "42[[1]]",
    "42[NaN]",
    '42["x",1e999]',
    '42["x",Infinity]',
    '42["x",' + "[" * 64 + "]" * 64 + "]",
    "4" + "[" * 5000,
    "42" + "9" * 200 + '["x"]',
    "40",
    "40[1]",
    '42/chat,["x"]',
    "44",
    "47",
    "451000000-[1]",
    '4511-["x"]',
    '451-["x",{"_placeholder":true,"num":0}]\x1e42["x"]',
    '451-["x",{"_placeholder":true,"num":7}]\x1ebAAEC',
    "bAAEC",
]


@pytest.mark.parametrize("frames", MALFORMED)
async def test_malformed_packets_close_the_session(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, frames: str
) -> None:
    running = await serve()
    bob = await connect(running)
    async with websocket(http, running) as ws:
        await ws.send_str('42["join","lobby"]')
        assert await bob.next("create-room")
        for frame in frames.split("\x1e"):
            await (ws.send_bytes(b"\x00\x01\x02") if frame == "bAAEC" else ws.send_str(frame))
        await closing(ws)
    assert (await bob.next("delete-room"))["members"] == 0
    assert (await bob.call("rooms"))["rooms"] == []


async def test_ten_attachments_are_accepted(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with websocket(http, await serve()) as ws:
        places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(10))
        await ws.send_str(f'4510-1["nope",{places}]')
        for _ in range(10):
            await ws.send_bytes(b"x")
        assert '"unknown_event"' in await ws.receive_str(timeout=WAIT)


def open_session(engine: Engine) -> Session:
    assert engine.address_limits.add_connection("::1", 0) is None
    return engine.open("::1")


async def test_a_handler_that_fails_closes_its_session_only(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine()
    bad, good = open_session(engine), open_session(engine)

    async def message(_session: Session, _data: str) -> None:
        raise ZeroDivisionError("a bug")

    engine.on("message", message)
    await engine.trigger("message", bad, "x")
    assert bad.closed
    assert not good.closed
    assert engine.close_reasons == {"server disconnect": 1}
    assert "message failed" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text
    await engine.drain(1)


async def test_a_session_that_fails_is_closed_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine()
    session = open_session(engine)
    for _ in range(2):
        engine.fail(session, Malformed("invalid base64"))
    assert engine.close_reasons == {"parse error": 1}
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.message for record in warnings] == ["malformed packet"]
    assert warnings[0].__dict__["fields"] == {"session": session.sid, "cause": "invalid base64"}
    await engine.drain(1)


async def test_shutting_down_delivers_what_is_polled_for_and_counts_the_rest() -> None:
    engine = Engine()
    polled, silent, idle = (open_session(engine) for _ in range(3))
    polled.send(*messages("ab"))
    silent.send(*messages("cde"))
    draining = asyncio.create_task(engine.drain(0.3))
    await asyncio.sleep(0)
    assert idle.closed
    assert await polled.poll() == "4a\x1e4b"
    await asyncio.wait_for(draining, WAIT)
    assert engine.undelivered == 3
    assert engine.close_reasons == {"server shutting down": 3}
    assert engine.sessions == {}


async def test_shutting_down_cancels_the_tasks() -> None:
    engine = Engine()
    task = engine.create_task(asyncio.Event().wait())
    await engine.drain(0.1)
    await asyncio.wait([task], timeout=WAIT)
    assert task.cancelled()
