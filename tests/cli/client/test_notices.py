"""Lines about what a server sends: how often they are said."""

import pytest

from nsroom.client.notices import Thinned, unreadable
from nsroom.record import Direction, Kind, Record


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_a_kind_is_said_at_once_and_the_next_after_a_pause_that_doubles() -> None:
    said: list[str] = []
    clock = Clock()
    say = Thinned(said.append, clock)
    for clock.now in range(100):
        say(f"at {clock.now}", "kind")
    assert said == [
        "at 0",
        "at 10 (9 more like this)",
        "at 30 (19 more like this)",
        "at 70 (39 more like this)",
    ]


def test_each_text_is_a_kind_of_its_own_until_there_are_many() -> None:
    said: list[str] = []
    say = Thinned(said.append, Clock())
    for number in range(1000):
        say(f"the server disconnected us from /{number}")
    assert len(said) == 21


@pytest.mark.parametrize(
    ("message", "frame", "line", "kind"),
    [
        (
            "not JSON: NaN at offset 9",
            '42["v",NaN]',
            'not JSON: NaN at offset 9: 42["v",NaN]',
            "NaN at offset ",
        ),
        ("too long at offset 1", "4" * 100, f"too long at offset 1: {'4' * 80}…", "too long at offset "),
        ("unknown packet type 'x' at offset 0", "4x", "unknown packet type 'x' at offset 0: 4x", "type "),
        ("expected text", b"\0\1", "expected text: 2 bytes", "expected text"),
    ],
)
def test_an_unreadable_packet(message: str, frame: str | bytes, line: str, kind: str) -> None:
    record = Record(0, 1, Direction.IN, Kind.PROTOCOL_ERROR, message=message, frames=[frame])
    text, found = unreadable(record)
    assert text == f"cannot read a packet of the server: {line}"
    assert found.endswith(kind)
