"""Clients that violate the protocol or flood the server, and other clients that must not notice."""

import asyncio
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import aiohttp
import pytest

from nsroom_server.app import Running
from nsroom_server.errors import Malformed
from nsroom_server.logs import JsonFormatter, TextFormatter
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.packet import Packet
from tests.frames import masked
from tests.server.conftest import Lag
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import endpoint, poll, raw_closing, raw_websocket

SEED = 20261124
PATIENT = {"ping_interval": 20.0, "ping_timeout": 20.0}
"""A heartbeat that does not close a session which should have been closed before."""
MEGABYTE = "[" + "[]," * 330_000 + "1]"
pytestmark = pytest.mark.no_cover  # what takes processor time would take three times as much
PLACE = '{"_placeholder":true,"num":0}'
FRAMES = [
    "40",
    '40/chat,{"token":"x"}',
    "41",
    "41/chat,",
    '42["join","lobby"]',
    '4212["message",{"room":"lobby","text":"hello","n":[1,2.5e3,null,true]}]',
    '4312["ok"]',
    '44{"message":"no"}',
    f'451-3["emit",{{"event":"x","to":"lobby","args":[{PLACE}]}}]',
    f"461-3[{PLACE}]",
    "1",
    "2",
    "3",
    "5",
    "6",
    '0{"sid":"x"}',
]
ALPHABET = '0123456789[]{}",:-/\\ \x00\x1b\u202eä€b😀xNaEe.+'


def tolerance() -> float:
    """Return how long one thing may block the loop, including the attacker's own part.

    Four times as long as the standard library takes to decode a megabyte of arrays, on this machine and as
    busy as it is now; in seconds of CPU time, because other processes may take any amount of wall-clock time.
    """
    started = time.thread_time()
    for _ in range(4):
        json.loads(MEGABYTE)
    return time.thread_time() - started


def mutate(random: random.Random, frame: str) -> str:
    """Change a frame in one to four places."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(frame))
        change = random.randrange(4)
        if change == 0:
            frame = frame[:at] + random.choice(ALPHABET) + frame[at:]
        elif change == 1:
            frame = frame[:at] + frame[at + random.randint(1, 5) :]
        elif change == 2:
            frame = frame[:at] + random.choice(ALPHABET) + frame[at + 1 :]
        else:
            frame = frame[:at] + frame[random.randint(0, len(frame)) :]
    return frame


def test_five_thousand_mutations_are_valid_or_malformed() -> None:
    chance, malformed = random.Random(SEED), 0
    for number in range(5000):
        frame = mutate(chance, FRAMES[number % len(FRAMES)])
        with suppress(Malformed):
            malformed += 1
            packet = Packet.parse(frame[1:], Limits())
            for _ in range(packet.attachment_count):
                packet.attach(b"x")
            malformed -= 1
    assert 1000 < malformed < 5000


@pytest.mark.usefixtures("lag")
async def test_mutations_close_the_session_or_are_answered(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve(**PATIENT)
    bob = await connect(running)
    opened = time.monotonic()
    chance, slowest = random.Random(SEED), 0.0
    for number in range(1000):
        frame = mutate(chance, FRAMES[number % len(FRAMES)])
        async with raw_websocket(running) as (reader, writer):
            writer.write(masked('42["join","pit"]'))
            await reader.readuntil(b'"members":1')
            started = time.thread_time()
            writer.write(masked(frame) + masked('4299999["rooms"]'))
            await answered_or_closed(reader)
            slowest = max(slowest, time.thread_time() - started)
    assert slowest < tolerance()
    await until(lambda: bob.call("rooms"), {"ok": True, "rooms": []})
    events = [(event, args[0]) for _, event, args in list(bob.events._queue)]
    gone = [(said["sid"], said["room"]) for event, said in events if event == "delete-room"]
    assert len(gone) == len(set(gone)) >= 1000
    assert "failed" not in caplog.text
    assert all(len(line(record)) <= 200 for record in caplog.records)
    # Of each kind ten at once, then two a second: however slow the machine is.
    of_kinds = Counter(record.msg for record in caplog.records)
    assert max(of_kinds.values()) <= 11 + 2 * (time.monotonic() - opened)
    assert len(of_kinds) < 6


async def answered_or_closed(reader: asyncio.StreamReader) -> None:
    read = b""
    async with asyncio.timeout(WAIT):
        while b"4399999[" not in read and read[-4:-2] != b"\x88\x02":
            chunk = await reader.read(65536)
            assert chunk
            read += chunk


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask repeatedly until this is the answer."""
    async with asyncio.timeout(WAIT):
        while await ask() != wanted:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.01)


def line(record: logging.LogRecord) -> str:
    return max((formatter().format(record) for formatter in (TextFormatter, JsonFormatter)), key=len)


MALFORMED = [
    '42["x"',
    "47",
    "45999999-[]",
    "4",
    "9",
    "40",
    '42["x",NaN]',
    f'451-["x",{PLACE}]\x1e41',
    "\x1b[2J",
]


@pytest.mark.parametrize("packet", MALFORMED)
async def test_a_malformed_packet_closes_the_session_at_once(
    serve: Serve, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    running = await serve(**PATIENT)
    async with raw_websocket(running) as (reader, writer):
        started = time.thread_time()
        for part in packet.split("\x1e"):
            writer.write(masked(part))
        assert await raw_closing(reader) == 1002
        assert await reader.read() == b""
        assert time.thread_time() - started < tolerance()
    said = [record.message for record in caplog.records]
    assert said == ["someone connected", "malformed packet", "disconnected"]


@pytest.mark.parametrize("packet", [packet for packet in MALFORMED if "\x1e" not in packet])
async def test_a_malformed_packet_closes_a_polling_session_at_once(
    serve: Serve, http: aiohttp.ClientSession, packet: str
) -> None:
    session = await poll(http, await serve(**PATIENT))
    waiting = asyncio.create_task(session.get())
    await asyncio.sleep(0.02)
    assert await session.post(packet) == 400
    assert await asyncio.wait_for(waiting, WAIT) == (200, "1")


def flood(packet: str) -> Callable[[Running], Awaitable[None]]:
    """Return an attack that sends one packet as fast as the server reads, and reconnects when closed."""

    async def attack(running: Running) -> None:
        while True:
            try:
                async with raw_websocket(running) as (reader, writer), asyncio.TaskGroup() as tasks:
                    tasks.create_task(swallow(reader))
                    tasks.create_task(repeat(writer, masked(packet) * 50))
            except* (ConnectionError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.01)

    return attack


async def swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        continue
    raise ConnectionResetError


async def repeat(writer: asyncio.StreamWriter, data: bytes) -> None:
    while True:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.002)


async def handshakes(running: Running) -> None:
    """Open sessions that never CONNECT."""
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(endpoint(running, "polling")) as response:
                await response.read()


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are done: a task group that fails at that moment ignores the cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


ATTACKS = {
    "events": flood('421["rooms"]'),
    "silent events": flood('42["nope"]'),
    "rooms": flood('42["join","' + "r" * 128 + '"]'),
    "namespaces": flood("40/nope,"),
    "heartbeats": flood("3"),
    "malformed": flood('42["x"'),
    "large": flood('421["nope",[' + "[]," * 20_000 + "1]]"),
    "handshakes": handshakes,
}


async def test_five_attackers_do_not_delay_a_chat(serve: Serve, connect: Connect, lag: Lag) -> None:
    running = await serve(**PATIENT)
    ann, bob = await connect(running, "/chat"), await connect(running, "/chat")
    for member in (ann, bob):
        await member.call("join", "lobby")
    names = ("events", "rooms", "namespaces", "malformed", "handshakes")
    attackers = [asyncio.create_task(ATTACKS[name](running)) for name in names]
    delays = []
    for number in range(100):
        started = time.thread_time()
        await ann.emit("message", {"room": "lobby", "text": str(number)})
        assert (await bob.next("message"))["text"] == str(number)
        delays.append(time.thread_time() - started)
        await asyncio.sleep(0.005)
    await end(attackers)
    assert sorted(delays)[98] < tolerance() / 2
    assert lag.work < tolerance()


@pytest.mark.parametrize("name", ATTACKS)
async def test_no_attack_blocks_the_loop(serve: Serve, lag: Lag, name: str) -> None:
    attacker = asyncio.create_task(ATTACKS[name](await serve(**PATIENT)))
    await asyncio.sleep(0.5)
    await end([attacker])
    assert lag.work < tolerance()


async def test_an_echo_of_a_megabyte_of_arrays_does_not_block_the_loop(serve: Serve, lag: Lag) -> None:
    running = await serve(**PATIENT)
    async with raw_websocket(running, "/lab") as (reader, writer):
        writer.write(masked('42/lab,7["echo"' + ",[]" * 65_000 + ",1" * 400_000 + "]"))
        while b"43/lab,7[" not in (chunk := await asyncio.wait_for(reader.read(2**21), WAIT)):
            assert chunk
    assert lag.work < tolerance()


HEAVY = {
    "too deep": "42" + "[" * 999_000,
    "60 deep, more than allowed": '42["x",' + ",".join(["[" * 58 + "]" * 58] * 8500) + "]",
    "60 deep": '42["x",' + ",".join(["[" * 58 + "]" * 58] * 1120) + ",1" * 430_000 + "]",
    "objects": '42["x"' + ',{"a":[]}' * 32_000 + ",1" * 340_000 + "]",
    "objects beside an attachment": f'451-["x",{PLACE}' + ",{}" * 32_000 + ",1" * 400_000 + "]",
    "numbers beside an attachment": f'451-["x",{PLACE}' + ",0" * 490_000 + "]",
    "placeholders": '451-["x"' + f",{PLACE}" * 30_000 + "]",
}


@pytest.mark.parametrize("name", HEAVY)
async def test_a_packet_within_the_limits_does_not_block_the_loop(serve: Serve, lag: Lag, name: str) -> None:
    running = await serve(**PATIENT)
    async with raw_websocket(running) as (reader, writer):
        writer.write(masked(HEAVY[name]) + masked(b"x") + masked('4299999["rooms"]'))
        await answered_or_closed(reader)
    assert lag.work < tolerance()


@pytest.mark.parametrize("name", HEAVY)
def test_a_packet_within_the_limits_is_parsed_about_as_fast_as_a_megabyte_of_arrays(name: str) -> None:
    def cost() -> float:
        started = time.thread_time()
        with suppress(Malformed):
            Packet.parse(HEAVY[name][1:], Limits()).attach(b"x")
        return time.thread_time() - started

    assert min(cost() for _ in range(3)) < tolerance() / 2
