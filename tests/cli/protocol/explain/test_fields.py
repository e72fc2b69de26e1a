"""Descriptions of values, and the names of the elements of a payload."""

from typing import Any

import pytest

from nsroom.protocol.explain.fields import argument, counted, describe, preview
from nsroom.protocol.strict_json import Element


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "number"),
        (-1.5, "number"),
        ("", "text of 0 characters"),
        ("é", "text of 1 character"),
        (b"\x01\xff", "2 bytes: 01 ff"),
        ([], "list of 0 items"),
        ([1, [2, 3]], "list of 2 items"),
        ({"a": 1}, "object of 1 member"),
    ],
)
def test_values(value: Any, meaning: str) -> None:
    assert describe(value) == meaning


@pytest.mark.parametrize(
    ("value", "attachments", "meaning"),
    [
        ({"_placeholder": True, "num": 1}, 2, "attachment 1"),
        (
            {"a": {"_placeholder": True, "num": 1}, "b": [{"_placeholder": True, "num": 0}]},
            2,
            "object of 2 members, with attachment 1, attachment 0",
        ),
        ({"_placeholder": True, "num": 1}, 0, "object of 2 members"),
        ({"_placeholder": "x", "num": 1}, 2, "object of 2 members"),
    ],
)
def test_placeholders_count_only_with_attachments(value: Any, attachments: int, meaning: str) -> None:
    assert describe(value, attachments) == meaning


@pytest.mark.parametrize(
    ("index", "is_event", "key", "value", "named"),
    [
        (0, True, None, "message", ("event", "message")),
        (0, True, None, 7, ("event", "7")),
        (
            0,
            True,
            None,
            "connect",
            ("event", "connect, a reserved name: JavaScript peers end the connection"),
        ),
        (1, True, None, 5, ("argument 1", "number")),
        (0, False, None, 5, ("argument 1", "number")),
        (0, False, "ok", True, ("ok", "true")),
    ],
)
def test_elements(index: int, is_event: bool, key: str | None, value: Any, named: tuple[str, str]) -> None:
    assert argument(Element(key, 0, 1, value), index, is_event) == named


def test_a_preview_has_sixteen_bytes() -> None:
    assert preview(bytes(16)) == "00 " * 15 + "00"
    assert preview(bytes(17)) == "00 " * 15 + "00 …"


def test_nouns_are_counted() -> None:
    assert [counted(number, "byte") for number in (0, 1, 2)] == ["0 bytes", "1 byte", "2 bytes"]
