"""The tap of one connection: which frames it passes on, and what it keeps."""

import asyncio

import pytest

from nsroom.channel import Channel
from nsroom.client.transports.tap import Tap
from nsroom.protocol.dialect import NOOP
from nsroom.protocol.engineio import SEPARATOR
from nsroom.protocol.session import Observer
from nsroom.record import Direction, Record

OPEN = '0{"sid":"e","upgrades":[],"pingInterval":3000,"pingTimeout":1000}'


@pytest.mark.parametrize(
    ("frame", "passes"),
    [
        ("2", True),
        ("1", True),
        ("6", True),
        ('40{"sid":"s"}', True),
        ('44{"message":"no"}', True),
        ("41", True),
        ('42["e"]', False),
        ('421["e"]', False),
        ("431[]", False),
        ('42["cut', False),
        ("9", False),
        ('451-["e",{"_placeholder":true,"num":0}]', False),
        (b"\0", False),
    ],
)
async def test_events_end_at_the_tap_and_other_packets_pass(frame: str | bytes, passes: bool) -> None:
    tap = Tap(Observer(), None, lambda _: None)
    assert tap.incoming(OPEN)
    assert tap.incoming(frame) is passes
    assert tap.unexpected_frame is None


@pytest.mark.parametrize("frame", ["<html>", b"\0", "42[]", "0{", "", "96:0{}"])
async def test_a_frame_instead_of_the_handshake_is_kept(frame: str | bytes) -> None:
    tap = Tap(Observer(), None, lambda _: None)
    tap.incoming(frame)
    assert tap.unexpected_frame == frame


async def test_on_record_is_not_called_for_events() -> None:
    noticed: list[Record] = []
    channel = Channel()
    tap = Tap(Observer(), channel, noticed.append)
    for frame in (OPEN, '42["e"]', "2"):
        tap.incoming(frame)
    tap.feed(Direction.OUT, "3")
    assert [each.kind for each in noticed] == ["open", "ping", "pong"]
    assert [each.seq for each in await anext(aiter(channel))] == [1, 2, 3, 4]


async def test_the_longest_pause_is_shorter_than_the_servers_timeout() -> None:
    tap = Tap(Observer(), None, lambda _: None)
    assert tap.max_pause == 5
    tap.incoming(OPEN)
    assert tap.max_pause == 2


async def test_waiting_for_a_slow_reader_has_a_timeout() -> None:
    channel = Channel(bound=1)
    tap = Tap(Observer(), channel, lambda _: None)
    assert await tap.wait_for_reader()
    batches = aiter(channel)
    tap.incoming(OPEN)
    await anext(batches)
    tap.incoming("2")
    assert not await tap.wait_for_reader(0.01)
    await anext(batches)
    assert await tap.wait_for_reader(0.01)


async def test_a_pong_resolves_its_future() -> None:
    tap = Tap(Observer(), None, lambda _: None)
    pong = tap.expect_pong(b"token")
    tap.on_pong(b"other")
    assert not pong.done()
    tap.on_pong(b"token")
    tap.on_pong(b"token")
    assert pong.done()


async def opened() -> Tap:
    tap = Tap(Observer(), Channel(), lambda _: None)
    assert await tap.polled(OPEN.encode()) == OPEN
    return tap


async def test_python_socketio_sees_each_packet_of_a_body_once() -> None:
    body = SEPARATOR.join(["6", "2", '42["e"]', "6", '40{"sid":"s"}', "2", "", "1"])
    assert await (await opened()).polled(body.encode()) == SEPARATOR.join(["6", "2", '40{"sid":"s"}', "1"])
    refused = SEPARATOR.join(f"44/{number}," for number in range(2000))
    assert (await (await opened()).polled(refused.encode())).count(SEPARATOR) == 999


async def test_other_tasks_run_while_a_large_body_is_read() -> None:
    tap = await opened()
    reading = asyncio.create_task(tap.polled(SEPARATOR.encode() * 50_000))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 3
    assert await reading == ""


async def test_a_body_with_too_many_packets_is_one_short_record() -> None:
    tap = await opened()
    assert await tap.polled(SEPARATOR.encode() * 2_000_000) == NOOP
    assert tap.channel is not None
    tap.channel.close()
    (*_, record) = [record async for records in tap.channel for record in records]
    assert record.message == "more than 1000000 packets at offset 0"
    assert (record.bytes, record.frames) == (2_000_000, [SEPARATOR * 1_000_000])


@pytest.mark.parametrize(
    ("noticed", "lost"),
    [(46_000_000, 46_000_000), (46_000_001, 1_000_000), (9_000_000_000, 1_000_000)],
)
def test_a_connection_is_lost_when_a_heartbeat_is_missing(noticed: int, lost: int) -> None:
    """The machine may have slept: the end is noticed long after it."""
    tap = Tap(Observer(), None, lambda _: None)
    tap.incoming('0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}', 1_000_000)
    assert tap.lost_at(noticed) == lost
