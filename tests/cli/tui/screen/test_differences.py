import pytest

from nsroom.record import Json
from nsroom.tui.screen.differences import MISSING, Change, differences, shortened


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ([1], [1], []),
        ([1], [2], [((0,), 1, 2)]),
        ([1], [True], [((0,), 1, True)]),
        ([{"a": 1}], [{"a": 2}], [(("a",), 1, 2)]),
        ([{"a": 1}], [{"b": 1}], [(("b",), MISSING, 1), (("a",), 1, MISSING)]),
        ([{"a": [1, 2]}], [{"a": [1]}], [(("a", 1), 2, MISSING)]),
        ([{"a": {}}], [{"a": []}], [(("a",), {}, [])]),
        ([{"a": {}}], [{"a": {"b": 1}}], [(("a", "b"), MISSING, 1)]),
        ([{"a": 1}], [{"a": 1}, 2], [((1,), MISSING, 2)]),
        ([b"x"], [b"y"], [((0,), b"x", b"y")]),
        ([], [], []),
    ],
)
def test_changes(old: list[Json], new: list[Json], changes: list[tuple[Json, Json, Json]]) -> None:
    assert [change for change in differences(old, new) if change is not None] == [
        Change(*change) for change in changes
    ]


def test_values_that_are_the_same_are_counted() -> None:
    found = list(differences([{"a": 1, "b": [1, 2], "c": {}}], [{"a": 1, "b": [1, 3], "c": {}}]))
    assert found.count(None) == 3


def test_deep_values() -> None:
    old: Json = 1
    new: Json = 2
    for _ in range(5000):
        old, new = [old], [new]
    (change,) = differences(old, new)
    assert change is not None
    assert len(change.path) == 5000


def test_long_texts_are_cut_to_what_differs() -> None:
    start, end = "a" * 100, "z" * 100
    assert shortened(f"{start}old{end}", f"{start}new text{end}") == (
        f"…{'a' * 20}old{'z' * 20}…",
        f"…{'a' * 20}new text{'z' * 20}…",
    )
    assert shortened("a" * 100, "a" * 101) == ("…" + "a" * 20, "…" + "a" * 21)
    assert shortened("short", "other") == ("short", "other")
    assert shortened("x" * 5000, 1) == ("x" * 5000, 1)
    assert all(len(text) <= 1002 for text in shortened("x" * 5000, "y" * 5000))
