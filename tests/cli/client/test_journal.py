"""The records of one client: one order across all connections, and none kept without a reader."""

import asyncio

import pytest

from nsroom.channel import Channel
from nsroom.client.journal import Journal
from nsroom.record import Direction, Kind, Record


def event(journal: Journal, name: str) -> list[Record]:
    """Observe an event on a new connection."""
    record = journal.new_observer().feed(Direction.IN, f'42["{name}"]', 1)
    return [record] if record else []


def readable(journal: Journal) -> Channel:
    assert journal.channel is not None
    return journal.channel


async def test_records_are_numbered_across_all_connections() -> None:
    journal = Journal(watch=True, raw=False)
    journal.put(event(journal, "a"))
    journal.note(Kind.GAP, reason="transport close")
    await journal.put_many(event(journal, "b"))
    journal.end()
    (records,) = [batch async for batch in readable(journal)]
    assert [(record.seq, record.kind) for record in records] == [
        (1, Kind.EVENT),
        (2, Kind.GAP),
        (3, Kind.EVENT),
    ]
    assert (records[1].direction, records[1].reason) == (Direction.LOCAL, "transport close")


@pytest.mark.parametrize("raw", [True, False])
def test_frames_are_kept_when_asked_for(raw: bool) -> None:
    (record,) = event(Journal(watch=False, raw=raw), "a")
    assert (record.frames is not None) is raw


async def test_many_records_wait_for_their_reader() -> None:
    journal = Journal(watch=True, raw=False)
    reading = aiter(readable(journal))
    journal.note(Kind.GAP)
    await anext(reading)
    many = event(journal, "a") * 2000
    putting = asyncio.ensure_future(journal.put_many(many))
    await asyncio.sleep(0)
    assert not putting.done()
    assert await anext(reading) == many
    await putting
    await reading.aclose()  # type: ignore[attr-defined]


async def test_without_a_reader_nothing_is_kept() -> None:
    journal = Journal(watch=False, raw=False)
    journal.note(Kind.GAP)
    await journal.put_many(event(journal, "a"))
    journal.end()
    assert journal.channel is None
