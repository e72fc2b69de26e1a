"""What several processes counted, added up."""

import json

from nsroom.bench.histogram import Histogram
from nsroom.bench.tally import Part, Tally, from_json, missing, summed


def tally(*durations: int, **fields: int | float) -> Tally:
    made = Tally(Histogram(), **fields)  # type: ignore[arg-type]
    for duration in durations:
        made.histogram.record(duration)
    return made


def test_it_travels_as_json() -> None:
    made = tally(1, 10**9, sent=3, answered=2, seconds=1.5, busy=0.25, connected=9)
    made.error("refused: no", 4)
    made.rooms[7] = Part(3, 2, 1)
    back = from_json(json.loads(json.dumps(made.to_json())))
    assert (back.histogram.counts, back.to_json()) == (made.histogram.counts, made.to_json())


def test_the_sum() -> None:
    one = tally(1000, sent=3, answered=1, seconds=2.0, busy=0.5, connected=5)
    two = tally(1000, 3000, sent=4, answered=2, seconds=1.0, busy=0.9, connected=6)
    one.error("x", 2)
    two.error("x")
    whole = summed([one, two])
    assert whole.histogram.counts == tally(1000, 1000, 3000).histogram.counts
    assert (whole.sent, whole.answered, whole.connected) == (7, 3, 11)
    assert (whole.seconds, whole.busy, whole.errors) == (2.0, 0.9, {"x": 3})


def test_a_room_of_two_processes_misses_what_did_not_come_in_any() -> None:
    one, two = Tally(), Tally()
    one.rooms[0] = Part(members=2, sent=10, received=10)
    two.rooms[0] = Part(members=3, sent=0, received=29)
    assert missing(summed([one, two]).rooms) == 1


def test_a_server_does_not_make_up_causes_without_end() -> None:
    made = Tally()
    for number in range(1000):
        made.error(f"refused: {number}")
    assert len(made.errors) == 51
    assert made.errors["other causes"] == 950
