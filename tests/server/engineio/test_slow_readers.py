"""Clients that do not read: they are disconnected, and no other client waits or misses anything."""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from nsroom_server.settings.limits import Limits
from tests.frames import masked
from tests.server.member import WAIT, Connect, Member, Serve
from tests.server.wire import poll, raw_closing, raw_websocket

EVENTS = 300
PAD = "x" * 50_000


async def talk(ann: Member, bob: Member, events: int = EVENTS, pad: str = PAD) -> list[int]:
    """Send events from Ann to the lobby, and return the numbers that Bob receives."""
    for number in range(events):
        await ann.call("emit", {"event": "x", "args": [number, pad], "to": "lobby"})
    return [await bob.next("x") for _ in range(events)]


async def lobby(connect: Connect, running: object) -> tuple[Member, Member]:
    ann, bob = await connect(running), await connect(running)
    for member in (ann, bob):
        await member.call("join", "lobby")
    return ann, bob


async def test_a_websocket_that_is_not_read_is_closed(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve()
    ann, bob = await lobby(connect, running)
    async with raw_websocket(running) as (reader, writer):
        writer.write(masked('42["join","lobby"]'))
        await reader.readuntil(b"join-room")
        writer.transport.pause_reading()
        assert await talk(ann, bob) == list(range(EVENTS))
        assert (await bob.call("who", "lobby"))["count"] == 2
        writer.transport.resume_reading()
        assert await raw_closing(reader) == 4008
    assert warnings(caplog) == ["slow reader disconnected"]


async def test_a_client_that_answers_pings_without_reading_them_is_disconnected(
    serve: Serve, connect: Connect
) -> None:
    running = await serve(ping_interval=0.05, ping_timeout=5)
    ann, bob = await lobby(connect, running)
    async with raw_websocket(running) as (reader, writer):
        writer.write(masked('42["join","lobby"]'))
        await reader.readuntil(b"join-room")
        writer.transport.pause_reading()
        answering = asyncio.create_task(answer_heartbeats(writer))
        assert await talk(ann, bob) == list(range(EVENTS))
        assert (await bob.call("who", "lobby"))["count"] == 2
        answering.cancel()


async def answer_heartbeats(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(masked("3"))
        await asyncio.sleep(0.02)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_polling_session_that_is_not_polled_is_closed(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve()
    ann, bob = await lobby(connect, running)
    session = await poll(http, running)
    assert await session.post('42["join","lobby"]') == 200
    assert await talk(ann, bob) == list(range(EVENTS))
    assert (await session.get())[0] == 400
    assert warnings(caplog) == ["slow reader disconnected"]
    assert (await bob.call("who", "lobby"))["count"] == 2


@pytest.mark.parametrize("bound", ["frames", "bytes"])
async def test_the_queue_of_a_polling_session_is_bounded(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, bound: str
) -> None:
    size = len('442["x"]')
    limits = Limits(queued_frames=100) if bound == "frames" else Limits(queued_bytes=99 * (size - 1))
    running = await serve(limits=limits)
    ann = await connect(running)
    await ann.call("join", "lobby")
    for events, status in ((100, 200), (101, 400)):
        session = await poll(http, running)
        assert await session.post('42["join","lobby"]') == 200
        assert "join-room" in (await session.get())[1]
        for _ in range(events):
            await ann.call("emit", {"event": "x", "to": "lobby"})
        packets: list[str] = []
        while len(packets) < events:
            answered, payload = await session.get()
            assert answered == status
            if status != 200:
                break
            packets += payload.split("\x1e")
        else:
            assert packets == ['42["x"]'] * events
            assert await session.post("1") == 200


async def test_a_slow_reader_misses_nothing(serve: Serve, connect: Connect) -> None:
    running = await serve(limits=Limits(events_burst=5000))
    ann, bob = await lobby(connect, running)
    assert await talk(ann, bob, 2000, "") == list(range(2000))


async def test_a_client_that_does_not_read_its_answers_delays_only_itself(
    serve: Serve, connect: Connect
) -> None:
    running = await serve(limits=Limits(events_burst=100_000))
    ann = await connect(running)
    async with raw_websocket(running, "/lab") as (reader, writer):
        for number in range(200):
            writer.write(masked(f'42/lab,{number}["echo","{"x" * 100_000}"]'))
        assert (await ann.call("rooms"))["ok"]
        read = b""
        while b"43/lab,199[" not in read:
            read = read[-100_000:] + await asyncio.wait_for(reader.read(2**20), WAIT)


async def test_packets_sent_while_the_queue_drains_come_after_it(serve: Serve) -> None:
    running = await serve(limits=Limits(queued_frames=10_000, queued_bytes=2**30))
    assert running.server
    async with raw_websocket(running) as (reader, writer):
        writer.transport.pause_reading()
        for number in range(800):
            running.server.emit("x", number, "x" * 10_000, namespace="/")
        (session,) = running.server.engine.sessions.values()
        assert session.queued
        writer.transport.resume_reading()
        reading = asyncio.create_task(numbers_read(reader, 2000))
        for number in range(800, 2000):
            running.server.emit("x", number, "", namespace="/")
            # In some of these turns the transport is writable again, but the queue has not been flushed yet.
            await asyncio.sleep(0)
        assert await asyncio.wait_for(reading, WAIT) == list(range(2000))


async def numbers_read(reader: asyncio.StreamReader, count: int) -> list[int]:
    """Return the numbers of the next `count` events."""
    numbers: list[int] = []
    while len(numbers) < count:
        await reader.readuntil(b'42["x",')
        numbers.append(int((await reader.readuntil(b","))[:-1]))
    return numbers


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
async def test_requests_of_a_client_that_reads_nothing_take_no_memory(serve: Serve, connect: Connect) -> None:
    running = await serve(limits=Limits(events_per_second=10**6, events_burst=10**6, bytes_burst=10**9))
    before = resident()
    async with raw_websocket(running) as (_, writer):
        requests = masked('421["rooms"]') * 1000
        with suppress(OSError, TimeoutError):
            for _ in range(100):
                writer.write(requests)
                await asyncio.wait_for(writer.drain(), 0.5)
        ann = await connect(running)
        assert (await ann.call("rooms"))["ok"]
        assert resident() - before < 64 * 2**20


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
