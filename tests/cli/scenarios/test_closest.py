"""The records that came closest to an expectation, with the parts that differ."""

from nsroom.record import Direction, Json, Kind, Record
from nsroom.scenarios.closest import closest


def event(name: str, *args: Json, direction: Direction = Direction.IN) -> Record:
    return Record(0, 1, direction, Kind.EVENT, "/", None, name, list(args))


def test_the_closest_come_first_with_the_parts_that_differ() -> None:
    records = [
        event("hi"),
        event("message", {"id": 6}),
        event("x"),
        event("y"),
        Record(0, 1, Direction.IN, Kind.PING),
    ]
    assert [line.split("  ")[-1].strip() for line in closest("event=message & arg.0.id=7", records)] == [
        "{id: 6}",
        "✗ arg.0.id=7, but it is 6",
        "hi",
        "✗ event=message, but it is hi",
        "✗ arg.0.id=7, but it is missing",
        "x",
        "✗ event=message, but it is x",
        "✗ arg.0.id=7, but it is missing",
    ]


def test_other_kinds_of_tests() -> None:
    [_, *differences] = closest("(event=a | event=b) & arg.x=1 & !hi & word", [event("hi", {"x": 2})])
    assert differences == [
        "  ✗ (event=a | event=b) does not match",
        "  ✗ arg.x=1: no argument matches",
        "  ✗ !hi does not match",
        "  ✗ word does not match",
    ]


def test_an_own_event_is_no_received_one() -> None:
    [_, difference] = closest("event=mine", [event("mine", direction=Direction.OUT)])
    assert "name its kind or dir" in difference


def test_hostile_text_is_safe_and_short() -> None:
    text = "\n".join(closest("event=x & arg.0=1", [event("e\x1b[2J\n", "y" * 100_000)]))
    assert "\x1b" not in text
    assert len(text) < 600
