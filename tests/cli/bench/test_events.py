"""What clients say."""

import pytest

from nsroom.bench.events import phrases
from nsroom.bench.fleet import phrase
from nsroom.errors import UsageError
from nsroom.record import Json

NO, NO_JOIN = (None, None), (None, None, None)


def test_the_words_of_the_reference_server() -> None:
    said = phrases(NO, NO, NO_JOIN)
    assert (said.ack, said.join) == (["who", "{room}"], ["join", "{room}"])
    assert said.send == ["message", {"room": "{room}", "text": "{text}"}]


@pytest.mark.parametrize(
    ("event", "args", "said"),
    [
        ("echo", None, ["echo", "{text}"]),
        ("echo", "[]", ["echo"]),
        ("echo", '["a",{"b":1}]', ["echo", "a", {"b": 1}]),
        ("echo", '{"b":1}', ["echo", {"b": 1}]),
        (None, '"x"', ["who", "x"]),
        ("who", None, ["who", "{room}"]),
    ],
)
def test_other_words(event: str | None, args: str | None, said: list[Json]) -> None:
    assert phrases((event, args), NO, NO_JOIN).ack == said


def test_joining_is_as_with_join() -> None:
    assert phrases(NO, NO, ("join_room", None, None)).join == ["join_room", {"room": "{room}"}]
    assert phrases(NO, NO, (None, "enter", '{"t":"{room}"}')).join == ["enter", {"t": "{room}"}]


@pytest.mark.parametrize(
    ("ack", "send", "reason"),
    [
        (("x", "{"), NO, "--args: not JSON"),
        (("disconnect", None), NO, "servers end the connection"),
        (NO, ("say", '"no stamp"'), "--room-args has no {text}"),
        (NO, ("say", "nothing"), "--room-args: not JSON"),
    ],
)
def test_what_cannot_be_said(
    ack: tuple[str | None, str | None], send: tuple[str | None, str | None], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        phrases(ack, send, NO_JOIN)


def test_placeholders_are_filled_wherever_they_are() -> None:
    value: list[Json] = ["say", {"{room}": ["{text}!", 1, None]}, 'a "{room}"']
    assert phrase(value, "r", "t") == b'["say",{"r":["t!",1,null]},"a \\"r\\""]'
