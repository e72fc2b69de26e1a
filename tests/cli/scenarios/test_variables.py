"""Values in words and filters: as JSON, as text, and inside quotes."""

import pytest

from nsroom.filters import parse
from nsroom.record import Direction, Json, Kind, Record
from nsroom.scenarios.variables import escape_names, fill_expression, fill_word, names_in

VALUES = {"n": 7, "s": 'a "b"', "o": {"k": [1]}, "seven": "7", "item": "a=b"}


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("{n}", "7"),
        ("{s}", 'a "b"'),
        ("{seven} {n}", "7 7"),
        ("{seven}", '"7"'),
        ("{item}", '"a=b"'),
        ("id={n}", "id=7"),
        ("id={s}", 'id=a "b"'),
        ("id:={s}", 'id:="a \\"b\\""'),
        ('{"a":{n},"b":"<{s}>"}', '{"a":7,"b":"<a \\"b\\">"}'),
        ("x-{n}", "x-7"),
        ("{o}", '{"k":[1]}'),
        ("{other} {1}", "{other} {1}"),
        ("{{n}}", "{n}"),
        ("text=<{{n}}>{n}", "text=<{n}>7"),
        ("{{{n}}}", "{{n}}"),
        ('{"a":{"b":{n}}}', '{"a":{"b":7}}'),
        ('{"a":"{{n}}","b":{"c":1}}', '{"a":"{n}","b":{"c":1}}'),
    ],
)
def test_a_word(word: str, filled: str) -> None:
    assert fill_word(word, VALUES) == filled


@pytest.mark.parametrize(
    ("expression", "arg"),
    [
        ("arg.0.x={n}", {"x": 7}),
        ("arg.0.x = {s}", {"x": 'a "b"'}),
        ('arg.0.x="<{s}>"', {"x": '<a "b">'}),
        ("arg.0.x=/^id{n}$/", {"x": "id7"}),
        ("arg.0.x={o}", {"x": {"k": [1]}}),
        ("arg.0.x>={n}", {"x": 8}),
        ('arg.0.x="{{n}}"', {"x": "{n}"}),
    ],
)
def test_a_filter(expression: str, arg: Json) -> None:
    record = Record(0, 1, Direction.IN, Kind.EVENT, event="e", args=[arg])
    assert parse(fill_expression(expression, VALUES))(record)


def test_a_plain_word() -> None:
    assert fill_word("{seven}", VALUES, plain=True) == "7"


def test_names() -> None:
    assert names_in('room={a} {"x":{b}} {room} {1} {{text}}') == [("a", 5), ("b", 14), ("room", 19)]


@pytest.mark.parametrize("text", ["{n}", "a{{n}}", "{{{n}}}", '{"n":{"n":1}}', "{1}"])
def test_text_that_looks_like_names_is_escaped(text: str) -> None:
    assert fill_word(escape_names(text), VALUES) == text
