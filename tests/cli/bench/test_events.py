"""The events that load-test clients send."""

import pytest

from nsroom.bench.events import parse_events
from nsroom.bench.fleet import encode_event
from nsroom.errors import UsageError
from nsroom.record import Json

NO, NO_JOIN = (None, None), (None, None, None)


def test_the_events_of_the_reference_server() -> None:
    events = parse_events(NO, NO, NO_JOIN)
    assert (events.ack, events.join) == (["who", "{room}"], ["join", "{room}"])
    assert events.send == ["message", {"room": "{room}", "text": "{text}"}]


@pytest.mark.parametrize(
    ("event", "args", "expected"),
    [
        ("echo", None, ["echo", "{text}"]),
        ("echo", "[]", ["echo"]),
        ("echo", '["a",{"b":1}]', ["echo", "a", {"b": 1}]),
        ("echo", '{"b":1}', ["echo", {"b": 1}]),
        (None, '"x"', ["who", "x"]),
        ("who", None, ["who", "{room}"]),
    ],
)
def test_other_events(event: str | None, args: str | None, expected: list[Json]) -> None:
    assert parse_events((event, args), NO, NO_JOIN).ack == expected


def test_joins_are_given_as_for_the_join_command() -> None:
    assert parse_events(NO, NO, ("join_room", None, None)).join == ["join_room", {"room": "{room}"}]
    assert parse_events(NO, NO, (None, "enter", '{"t":"{room}"}')).join == ["enter", {"t": "{room}"}]


@pytest.mark.parametrize(
    ("ack", "send", "reason"),
    [
        (("x", "{"), NO, "--args: not JSON"),
        (("disconnect", None), NO, "servers close the connection"),
        (NO, ("say", '"no stamp"'), "--room-args needs {text}"),
        (NO, ("say", "nothing"), "--room-args: not JSON"),
    ],
)
def test_invalid_events(
    ack: tuple[str | None, str | None], send: tuple[str | None, str | None], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_events(ack, send, NO_JOIN)


def test_placeholders_are_filled_wherever_they_are() -> None:
    value: list[Json] = ["say", {"{room}": ["{text}!", 1, None]}, 'a "{room}"']
    assert encode_event(value, "r", "t") == b'["say",{"r":["t!",1,null]},"a \\"r\\""]'
