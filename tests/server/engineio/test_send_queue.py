"""The queue of a slow client: its order, its limits, and waiting until it is empty."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import Outgoing, PacketType
from nsroom_server.engineio.send_queue import SendQueue
from nsroom_server.settings.limits import Limits

WAIT = 5


def queue_of(count: int, limits: Limits, size: int = 1) -> SendQueue:
    queue = SendQueue(limits)
    for _ in range(count):
        queue.put(Outgoing(PacketType.MESSAGE, bytes(size)))
    return queue


@given(st.lists(st.none() | st.integers(0, 5)))
def test_packets_leave_in_the_order_in_which_they_were_added(takes: list[int | None]) -> None:
    queue, expected, taken = SendQueue(Limits()), [], []
    for number, limit in enumerate(takes):
        for part in ("a", "b"):
            packet = Outgoing(PacketType.MESSAGE, f"{number}{part}")
            queue.put(packet)
            expected.append(packet)
        packets = queue.take(limit)
        assert limit is None or len(packets) <= limit
        taken += packets
        assert len(queue) == len(expected) - len(taken)
    assert taken + queue.clear() == expected
    assert not queue


@pytest.mark.parametrize(
    ("limits", "fits"), [(Limits(queued_frames=3), 3), (Limits(queued_bytes=25), 3), (Limits(), 4)]
)
def test_limits(limits: Limits, fits: int) -> None:
    for count in range(5):
        assert queue_of(count, limits, size=10).is_over_limit == (count > fits)


def test_packets_that_were_taken_do_not_count() -> None:
    queue = queue_of(2, Limits(queued_bytes=20), size=10)
    queue.pop()
    queue.put(Outgoing(PacketType.MESSAGE, bytes(10)))
    assert not queue.is_over_limit


def test_space_is_left_for_as_many_bytes_as_are_queued() -> None:
    limits = Limits(queued_frames=4, queued_bytes=100)
    assert queue_of(2, limits).has_space(2)
    assert not queue_of(2, limits).has_space(3)
    assert queue_of(1, limits, size=50).has_space(1)
    assert not queue_of(1, limits, size=51).has_space(1)


async def test_waiting_ends_when_the_last_packet_leaves() -> None:
    queue = queue_of(2, Limits())
    waiting = [asyncio.create_task(queue.wait_empty()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.pop()
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    queue.pop()
    await asyncio.wait_for(asyncio.gather(*waiting), WAIT)
    await asyncio.wait_for(queue.wait_empty(), WAIT)
