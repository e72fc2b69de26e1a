"""The --where language, by example and by property."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import ExitCode, UsageError
from nsroom.filters import MAX_LENGTH, MAX_NESTING, MAX_SEARCHED, FilterError, parse
from nsroom.record import Direction, Json, Kind, Record

MESSAGE = Record(
    time=0,
    seq=12,
    direction=Direction.IN,
    kind=Kind.EVENT,
    namespace="/chat",
    event="message",
    args=[
        {"room": "lobby", "text": "the deploy is through", "n": 5, "a b": "x", "tags": ["x", "y"]},
        "tail",
        True,
    ],
    sid="abc",
    bytes=80,
)
ACK = Record(
    time=0,
    seq=13,
    direction=Direction.IN,
    kind=Kind.ACK,
    namespace="/",
    id=7,
    event="join",
    args=[{"ok": False, "error": None}],
    rtt_ms=120.5,
)


@pytest.mark.parametrize(
    "text",
    [
        "kind=event",
        "ns=/chat",
        "namespace=/chat",
        "ns~/^.ch/",
        "event~mess",
        "event=/^me/",
        "event~/ss.ge$/",
        "event!=/^x/",
        "dir=in",
        "direction!=out",
        "arg.0.room=lobby",
        "args.0.room=lobby",
        "arg.room=lobby",
        'arg.0."a b"=x',
        "arg.0.tags.1=y",
        "arg.1=tail",
        "arg=tail",
        "arg~deploy",
        'arg~"\\"room\\":\\"lobby\\""',
        "arg.0.n=5",
        "arg.0.n=5.0",
        "arg.0.n!=6",
        "arg.0.n>4 & arg.0.n>=5 & arg.0.n<6 & arg.0.n<=5",
        "arg.2=true",
        'arg.0.tags=["x","y"]',
        "arg.0.text>the",
        "arg.9=null",
        "arg.0.nothing.at.all=null",
        "id=null",
        "rtt!=1",
        "seq>11",
        "bytes<100",
        "sid=abc",
        "kind=ack | kind=event",
        "!kind=ack",
        "!(kind=ack|ns=/)",
        "! ! kind = event",
        'event = "message"',
        "(((kind=event)))",
        "kind=ack & ns=/ | dir=in",
        "event=/a|mess|(b & c)/ & dir=in",
    ],
)
def test_keeps_the_message(text: str) -> None:
    assert parse(text)(MESSAGE)


@pytest.mark.parametrize(
    "text",
    [
        "kind=ack",
        "ns=/",
        "ns=/chat/",
        "ns=/c.*/",
        "ns~/^chat/",
        "event=mess",
        "event=Message",
        'event="/^me/"',
        "event=/^me/ & dir=out",
        "arg.room=ops",
        "arg=nobody",
        "arg!=tail",
        "arg.0=true",
        'arg.0.n="5"',
        "arg.2=1",
        "arg.n>100",
        "arg.0.text>5",
        "arg.0.n<true",
        "rtt>0",
        "rtt<1000",
        "reason~x",
        "reason~/.*/",
        "data.sid=abc",
        "arg.99999999999=x",
        "!kind=event",
    ],
)
def test_drops_the_message(text: str) -> None:
    assert not parse(text)(MESSAGE)


@pytest.mark.parametrize(
    "text", ["rtt>100", "rtt_ms<=120.5", "id=7", "arg.0.ok=false", "arg.error=null", "id!=8"]
)
def test_keeps_the_ack(text: str) -> None:
    assert parse(text)(ACK)


@pytest.mark.parametrize(
    ("value", "text", "kept"),
    [
        (2**53 + 1, "arg.0=9007199254740993", True),
        (2**53, "arg.0=9007199254740993", False),
        ("100", "arg.0=100", True),
        ("1e2", "arg.0=100", False),
        (100, "arg.0=1e2", True),
        (True, "arg.0=1", False),
        (1, "arg.0=true", False),
        ("true", "arg.0=true", True),
        (None, "arg.0=null", True),
        ("null", "arg.0=null", True),
        ("", 'arg.0=""', True),
        (-5, "arg.0<-4", True),
        ("é", "arg.0=é", True),
        ({"k": "é"}, "arg.0~é", True),
        (b"\x00\xff", "arg.0~AP8=", True),
        ("\ud800", 'arg.0="\\ud800"', True),
        ("a\nb", 'arg.0="a\\nb"', True),
        ("a/b", "arg.0=/a\\/b/", True),
        ("/a/b", "arg.0=/a/b", True),
        (12.5, "arg.0~2.5", True),
        (False, "arg.0~als", True),
        ({"a": 1}, "arg.0.a=1", True),
        ({"0": "x"}, "arg.0.0=x", True),
        (["x"], "arg.0.x=null", True),
    ],
)
def test_values(value: Json, text: str, kept: bool) -> None:
    assert parse(text)(MESSAGE._replace(args=[value])) is kept


def test_slashes_in_namespaces_are_literal() -> None:
    assert parse("ns=/chat/")(MESSAGE._replace(namespace="/chat/"))


def test_text_and_fields_of_a_filter() -> None:
    kept = parse("ns=/chat & (rtt>1 | !arg.0.x=1)")
    assert kept.text == "ns=/chat & (rtt>1 | !arg.0.x=1)"
    assert kept.fields == {"namespace", "rtt_ms", "args"}


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "expected a field"),
        ("kind=", 6, 'expected a value after "="'),
        ("kind event", 6, 'expected "&" or "|"'),
        ("not", 1, "expected a field"),
        ("a and", 3, 'expected "&" or "|"'),
        ("a or and", 6, "expected a field"),
        ("knd=event", 1, 'unknown field "knd"'),
        ("kind=evnt", 6, 'unknown kind "evnt"'),
        ("dir=up", 5, 'unknown direction "up"'),
        ("kind=event & ", 14, "expected a field"),
        ("kind=event &&& dir=in", 14, "expected a field"),
        ("kind=event dir=in", 12, 'expected "&" or "|"'),
        ("(kind=event", 12, 'expected ")"'),
        ("kind=event)", 11, 'expected "&" or "|"'),
        ("ns=chat", 4, 'a namespace must start with "/"'),
        ("rtt>fast", 5, 'expected a number after ">"'),
        ("kind.x=1", 5, "only arg and data can have a path"),
        ("event=/(/", 8, "not a regular expression"),
        ("event=/a{99999999999}/", 8, "not a regular expression"),
        ('event="a', 7, "expected a value"),
        ('event="\\q"', 7, "not a JSON string"),
        ('arg."\\q"=1', 5, "not a JSON string"),
        ("a" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "longer than"),
        ("!" * (MAX_NESTING + 1) + "kind=event", MAX_NESTING + 2, "nested deeper"),
        ("(" * 5000, MAX_NESTING + 2, "nested deeper"),
    ],
)
def test_an_error_has_its_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text)
    assert raised.value.column == column
    assert raised.value.reason.startswith(reason)
    assert raised.value.code is ExitCode.USAGE


def test_an_error_is_one_line() -> None:
    with pytest.raises(UsageError) as raised:
        parse("kind=")
    assert str(raised.value) == '--where: column 6: expected a value after "=": kind='
    with pytest.raises(FilterError) as raised:
        parse("kind=event\n& nope=1 & " + "x" * 100)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("…")


def test_nesting_up_to_the_limit() -> None:
    depth = MAX_NESTING // 2
    assert parse("!(" * depth + "kind=event" + ")" * depth)(MESSAGE)
    assert parse("|".join(["kind=ack"] * 900 + ["kind=event"]))(MESSAGE)


def test_a_pattern_searches_only_the_start_of_long_text() -> None:
    far = MESSAGE._replace(args=["x" * MAX_SEARCHED + "needle"])
    assert not parse("arg.0=/needle/")(far)
    assert parse("arg.0~needle")(far)


@given(st.text(alphabet='kindevtarg.0=~<>!&|()/"\\ \n', max_size=30) | st.text(max_size=30))
def test_any_text_is_a_filter_or_an_error_in_range(text: str) -> None:
    column = None
    try:
        assert parse(text)(MESSAGE) in (True, False)
    except FilterError as error:
        column = error.column
    assert column is None or 1 <= column <= len(text) + 1


@given(st.text())
def test_a_quoted_value_is_that_text(text: str) -> None:
    record = MESSAGE._replace(event=text)
    assert parse(f"event={json.dumps(text)}")(record)
    assert not parse(f"event={json.dumps(text + 'x')}")(record)


@given(st.text(alphabet=st.characters(exclude_characters="/\\", exclude_categories=["Cs"]), min_size=1))
def test_an_escaped_pattern_finds_its_text(text: str) -> None:
    assert parse(f"event=/{re.escape(text)}/")(MESSAGE._replace(event=f"<{text}>"))


@given(st.integers(), st.integers())
def test_numbers_are_ordered(one: int, other: int) -> None:
    record = MESSAGE._replace(args=[one])
    assert parse(f"arg.0<{other}")(record) is (one < other)
    assert parse(f"arg.0>={other}")(record) is (one >= other)
    assert parse(f"arg.0={other}")(record) is (one == other)


ORDER = Record(0, 1, Direction.IN, Kind.EVENT, "/chat", event="order", args=[{"note": "price tag"}, "and"])


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("price", True),
        ("order", True),
        ("cancel", False),
        ("not cancel", True),
        ("!price", False),
        ("event == order and not ns=/", True),
        ("event==order&&price", True),
        ("cancel or (note and tag)", True),
        ("cancel || price", True),
        ("notary", False),
        ("order & cancel", False),
        ('"price tag"', True),
        ('"and"', True),
        ("/^ord/", True),
        ("/^price/", False),
        ("message", False),
        ("not(cancel)and(price)", True),
    ],
)
def test_words_and_texts_alone(text: str, matches: bool) -> None:
    assert parse(text)(ORDER) is matches


def test_a_text_alone_reads_the_event_and_its_arguments() -> None:
    assert parse("price & ns=/chat").fields == {"event", "args", "namespace"}
