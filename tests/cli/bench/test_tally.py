"""The counts of several workers, merged."""

import json

from nsroom.bench.histogram import Histogram
from nsroom.bench.tally import RoomCounts, Tally, from_json, merge, missing_deliveries


def tally(*durations: int, **fields: int | float) -> Tally:
    made = Tally(Histogram(), **fields)  # type: ignore[arg-type]
    for duration in durations:
        made.histogram.record(duration)
    return made


def test_a_tally_survives_json() -> None:
    made = tally(1, 10**9, sent=3, answered=2, seconds=1.5, busy=0.25, connected=9)
    made.error("refused: no", 4)
    made.rooms[7] = RoomCounts(3, 2, 1)
    made.parts["a"] = tally(5, sent=1)
    back = from_json(json.loads(json.dumps(made.to_json())))
    assert (back.histogram.counts, back.to_json()) == (made.histogram.counts, made.to_json())


def test_merged_tallies() -> None:
    one = tally(1000, sent=3, answered=1, seconds=2.0, busy=0.5, connected=5)
    two = tally(1000, 3000, sent=4, answered=2, seconds=1.0, busy=0.9, connected=6)
    one.error("x", 2)
    two.error("x")
    one.parts["a"], two.parts["a"] = tally(sent=1), tally(sent=2)
    whole = merge([one, two])
    assert whole.histogram.counts == tally(1000, 1000, 3000).histogram.counts
    assert (whole.sent, whole.answered, whole.connected) == (7, 3, 11)
    assert (whole.seconds, whole.busy, whole.errors) == (2.0, 0.9, {"x": 3})
    assert whole.parts["a"].sent == 3


def test_missing_deliveries_of_a_room_in_two_workers() -> None:
    one, two = Tally(), Tally()
    one.rooms[0] = RoomCounts(members=2, sent=10, received=10)
    two.rooms[0] = RoomCounts(members=3, sent=0, received=29)
    assert missing_deliveries(merge([one, two]).rooms) == 1


def test_the_number_of_causes_is_limited() -> None:
    made = Tally()
    for number in range(1000):
        made.error(f"refused: {number}")
    assert len(made.errors) == 51
    assert made.errors["other causes"] == 950
