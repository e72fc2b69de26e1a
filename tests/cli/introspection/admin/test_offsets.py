"""Recovery offsets at the end of an event's arguments."""

from typing import Any

import pytest

from nsroom.introspection.admin.offsets import without_offset
from tests.cli.introspection.admin.test_state import AT


@pytest.mark.parametrize(
    ("last", "is_offset"),
    [
        ("Q8CSR3V", True),
        ("Q8CSR3V.0", True),
        ("1795505107167-0", True),
        (f"{AT // 1_000_000:x}aabbccddeeff0011", True),
        ("goodbye", False),
        ("lobby-1", False),
        ("1695505107167-0", False),
        ("ffffffffffffffffffffffff", False),
        ("zzzzzzzzzzzzzzzzzzzzzzzz", False),
        ("", False),
        (7, False),
    ],
)
def test_offsets_are_times(last: Any, is_offset: bool) -> None:
    assert without_offset(["x", last], AT) == (["x"] if is_offset else ["x", last])
    assert without_offset([], AT) == []
