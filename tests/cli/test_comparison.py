"""Two recordings: equal but for times and ids, or with what was changed, missing and extra."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.comparison import Ignored, compare, may_be_id
from nsroom.record import Direction, Json, Kind, Record

SECOND = 1_000_000
NOON = 1_732_363_200 * SECOND


def event(name: str, *args: Json, time: int = NOON, **fields: Any) -> Record:
    return Record(time, 0, Direction.IN, Kind.EVENT, "/", event=name, args=list(args), **fields)


def differences(first: list[Record], second: list[Record], *ignored: str) -> list[tuple[Any, ...]]:
    """Return what differs, in which lines, and where."""
    found = compare(enumerate(first, 1), enumerate(second, 1), Ignored(ignored))
    return [
        (
            each.what,
            each.first and each.first.line,
            each.second and each.second.line,
            *map(".".join, each.paths),
        )
        for each in found
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024-11-23T12:00:00Z", "2024-11-24T01:02:03.5+01:00"),
        (NOON // SECOND, NOON // SECOND + 1),
        (NOON // 1000, NOON // 1000 + 1234),
        ("IdwiJTmxYdozVyOKauqX", "yBaoDodjGfRrxydhQfgZ"),
        ("d70e3ea408e4f0df", "0123456789abcdef"),
        ("3f8e1c52-7d3e-4b0c-9c57-0a1b2c3d4e5f", "00000000-7d3e-4b0c-9c57-0a1b2c3d4e5f"),
        (1, 1.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_values_that_do_not_count(one: Json, other: Json) -> None:
    assert differences([event("a", {"x": [one]})], [event("a", {"x": [other]})]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("orderStatusChanged", "orderStatusUpdated"),
        ("deployments-of-may", "deployments-of-june"),
        (1, True),
        (0, None),
        ("id", ["id"]),
        (b"a", "a"),
        (1000, 1001),
        (NOON // SECOND, 5),
        ("2024-11-23T12:00:00Z", "soon"),
        ([1, 2], [2, 1]),
    ],
)
def test_values_that_count(one: Json, other: Json) -> None:
    [(what, *places)] = differences([event("a", one)], [event("a", other)])
    assert (what, *places[:2]) == ("changed", 1, 1)


def test_an_id_is_the_same_wherever_it_appears() -> None:
    ids = ["IdwiJTmxYdozVyOKau01", "yBaoDodjGfRrxydhQf02"]
    others = ["00000000000000000001", "00000000000000000002"]
    first = [event("hello", ids[0]), event("hello", ids[1]), event("bye", ids[0])]
    second = [event("hello", others[0]), event("hello", others[1]), event("bye", others[0])]
    assert differences(first, second) == []
    second[2] = event("bye", others[1])
    assert differences(first, second) == [("changed", 3, 3, "arg.0")]


@pytest.mark.parametrize(
    "text", ["_cbdEDNXRKTlyrtrwxWl", "UmKoPaRaTiLeMuNoSiRe", "00000000-0000-0000", "a1" * 8]
)
def test_a_text_that_looks_random_is_an_id(text: str) -> None:
    assert may_be_id(text)
    assert differences([event("a", text)], [event("a", "IdwiJTmxYdozVyOKau01")]) == []


def test_a_sid_need_not_look_random() -> None:
    sids = ["Umkoparatilemunosire", "Orafelimatuponasired"]
    first, second = ([event("in", {"sid": sid}), event("say", sid)] for sid in sids)
    assert not any(map(may_be_id, sids))
    assert differences(first, second) == []
    assert differences(first[1:], second[1:]) == [("changed", 1, 1, "arg.0")]


def test_a_text_in_both_recordings_is_not_an_id() -> None:
    known = "room-2024-11-23-a"
    first = [event("a", known), event("b", "room-2024-11-23-b")]
    second = [event("a", "room-2024-11-23-b"), event("b", known)]
    assert len(differences(first, second)) == 2


def test_one_changed_one_missing_and_one_extra() -> None:
    first = [event("tick", {"n": n, "x": 1}) for n in range(100)]
    second = [event("tick", {"n": n, "x": 1}) for n in range(100) if n != 40]
    second[70] = event("tick", {"n": 71, "x": 2})
    second.insert(90, event("tick", {"n": -1, "x": 1}))
    assert differences(first, second) == [
        ("missing", 41, None),
        ("changed", 72, 71, "arg.0.x"),
        ("extra", None, 91),
    ]


def test_the_order_of_different_events_does_not_count() -> None:
    assert differences([event("a"), event("b"), event("a")], [event("a"), event("a"), event("b")]) == []
    assert len(differences([event("a", 1), event("a", 2)], [event("a", 2), event("a", 1)])) == 2


def test_what_the_transport_does_is_not_compared() -> None:
    transport = [Record(NOON, 0, Direction.IN, kind) for kind in (Kind.OPEN, Kind.UPGRADE, Kind.PING)]
    first, second = event("a", id=1, bytes=5, rtt_ms=2.0), event("a", id=7, bytes=9)
    assert differences([*transport, first], [second]) == []


def test_clients_in_the_order_of_appearance() -> None:
    first = [event("a", 1, sid="one"), event("a", 2, sid="two")]
    second = [event("a", 1, sid="three"), event("a", 2, sid="four")]
    assert differences(first, second) == []
    assert differences(first, second[::-1]) == [("changed", 1, 1, "arg.0"), ("changed", 2, 2, "arg.0")]


@pytest.mark.parametrize("path", ["arg.0.list.*.at", "arg.*.list.0.at", "at"])
def test_ignored_values(path: str) -> None:
    first, second = (event("a", {"list": [{"at": at, "x": 1}]}) for at in (1, 2))
    assert differences([first], [second]) == [("changed", 1, 1, "arg.0.list.0.at")]
    assert differences([first], [second], path) == []


def test_long_stretches_that_differ_are_compared_in_order() -> None:
    first = [event("tick", {"n": n}) for n in range(2100)]
    second = [event("tick", {"n": n + 0.5}) for n in range(2100)]
    assert len(differences(first, second)) == 2100


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.builds(event, st.sampled_from("ab"), VALUES), max_size=8)


@given(RECORDS)
def test_a_recording_is_equal_to_itself(records: list[Record]) -> None:
    assert differences(records, records) == []


@given(RECORDS, RECORDS)
def test_both_ways_tell_the_same(first: list[Record], second: list[Record]) -> None:
    there, back = differences(first, second), differences(second, first)
    assert bool(there) == bool(back)
