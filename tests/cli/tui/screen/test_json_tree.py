import pytest

from nsroom.record import Json
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.json_tree import as_time
from tests.cli.tui.records import detail_lines, event

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))


def test_a_single_object_shows_its_members() -> None:
    shown = detail_lines(event("e", {"a": 1, "b": "x", "c": None, "d": {}, "e": [True]}))
    assert shown == ["  a  1", '  b  "x"', "  c  null", "  d  {}", "▾ e  [1]", "    0  true"]


def test_several_arguments_have_their_index() -> None:
    assert detail_lines(event("e", 1, {"a": 2})) == ["  0  1", "▾ 1  {1}", "    a  2"]


def test_folding_and_unfolding() -> None:
    record = event("e", {"a": {"b": 1}, "c": 2})
    assert detail_lines(record, "a") == ["▸ a  {1}", "  c  2"]
    assert detail_lines(record, "a", "a") == ["▾ a  {1}", "    b  1", "  c  2"]


def test_large_containers_start_folded() -> None:
    assert detail_lines(event("e", {"many": list(range(1000))})) == ["▸ many  [1,000]"]
    deep: Json = {"leaf": 1}
    for _ in range(10):
        deep = {"k": deep}
    assert detail_lines(event("e", deep))[-1].strip().startswith("▸ k  {1}")


def test_a_long_text_unfolds_into_its_lines() -> None:
    record = event("e", {"log": "first\nsecond " + "x" * 200})
    assert detail_lines(record) == [f'▸ log  "first\\nsecond {"x" * 44}…  213 characters']
    assert detail_lines(record, "log")[:3] == ["▾ log  213 characters", "    first", f"    second {'x' * 89}"]


def test_binary_is_shown_as_hex_with_its_type() -> None:
    record = event("e", {"png": PNG})
    (folded,) = detail_lines(record)
    assert folded.startswith("▸ png  ‹binary 68 B, PNG›  89 50 4e 47 0d 0a 1a 0a")
    unfolded = detail_lines(record, "png")
    assert len(unfolded) == 6
    assert unfolded[2].startswith("    00000010  08 09 0a")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1732363202, "2024-11-23 12:00:02 UTC"),
        (1732363202123, "2024-11-23 12:00:02 UTC"),
        (1732363202.5, "2024-11-23 12:00:02 UTC"),
        (5, ""),
        (True, ""),
        (10**400, ""),
        (float("inf"), ""),
        (float("nan"), ""),
        ("1732363202", ""),
    ],
)
def test_numbers_that_may_be_times(value: Json, told: str) -> None:
    assert as_time(value) == told


def test_200_levels() -> None:
    deep: Json = 1
    for _ in range(200):
        deep = {"k": deep}
    detail = Detail(event("e", deep))
    for _ in range(220):
        last = detail.lines(0, 1000)[-1]
        if last.path and "▸" in last.pieces[0][1]:
            detail.toggle(last.path)
    shown = ["".join(text for _, text in line.pieces) for line in detail.lines(0, 1000)]
    assert len(shown) == 200
    assert "⋯199" in shown[-1]
