"""The ring keeps the newest records within its number and its memory, under indices that stay."""

from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.ring import MAX_BYTES, Ring


def record(seq: int, text: str = "") -> Record:
    return Record(0, seq, Direction.IN, Kind.EVENT, event="x", args=[text])


def fill(ring: Ring, count: int, text: str = "") -> None:
    for seq in range(ring.end, ring.end + count):
        ring.add(record(seq, text))
        if ring.is_over_limit:
            ring.drop_oldest()


def test_indices_stay() -> None:
    ring = Ring(100)
    fill(ring, 1000)
    assert ring.end == 1000
    assert len(ring.records) <= 100
    assert ring[999].seq == 999
    assert ring.first in ring
    assert ring.first - 1 not in ring
    assert 1000 not in ring
    assert ring[ring.first].seq == ring.first


def test_memory_is_limited() -> None:
    ring = Ring()
    megabyte = "x" * 1_000_000
    fill(ring, 200, megabyte)
    assert ring.end == 200
    assert len(ring.records) * len(megabyte) <= MAX_BYTES
    assert ring[199].seq == 199


def test_one_record_is_kept_however_large() -> None:
    ring = Ring()
    fill(ring, 1, "x" * (MAX_BYTES + 1))
    assert ring[0].seq == 0


def test_a_record_is_replaced_in_its_place() -> None:
    ring = Ring()
    fill(ring, 3)
    ring.replace(1, record(9, "y" * MAX_BYTES))
    assert [each.seq for each in ring.records] == [0, 9, 2]
    assert ring.is_over_limit
