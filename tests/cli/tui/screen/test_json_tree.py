import pytest

from nsroom.output.terminal import cells
from nsroom.record import Json
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.json_tree import Look, path_text, tree
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
    record = event("e", {"log": "first\nsecond " + "x" * 200, "other": "y" * 400})
    folded, _ = detail_lines(record)
    assert folded.startswith('▸ log    "first\\nsecond xxx')
    assert folded.endswith("x…  213 characters")
    assert len(folded) <= 100
    assert detail_lines(record, "log")[:3] == ["▾ log    213 characters", "  first", f"  second {'x' * 91}"]


def test_a_lone_long_text_is_open_from_the_start() -> None:
    assert detail_lines(event("e", "x" * 500))[:2] == ["▾ 0  500 characters", "  " + "x" * 98]
    assert detail_lines(event("e", {"id": 1, "log": "a\nb"}), "log")[1].startswith("▸ log  ")


def wrapped(value: Json, width: int) -> list[str]:
    """Return the lines of an argument at this width."""
    lines = ["".join(text for _, text in line.pieces) for line in tree(("args",), [value], Look(width))]
    assert all(cells(line) <= width for line in lines), lines
    return [line.rstrip() for line in lines]


def test_values_are_aligned_and_wrapped_in_cells() -> None:
    assert wrapped({"id": 1, "note": "ring the bell twice, then wait", "名": "日本語日本語日本語"}, 28) == [
        "  id    1",
        '  note  "ring the bell',
        '        twice, then wait"',
        '  名    "日本語日本語日本語"',
    ]


def test_a_long_key_has_lines_of_its_own() -> None:
    assert wrapped({"k" * 30: 1, "b": 2}, 24) == ["  " + "k" * 22, "  " + "k" * 8, "    1", "  b  2"]


@pytest.mark.parametrize("width", [30, 39, 79, 119])
def test_nothing_is_cut(width: int) -> None:
    words = [f"w{n}" for n in range(100)]
    value = {
        "text": " ".join(words),
        "deep": {"er": {"and": {"deeper": {"a key that is long": "日" * 40}}}},
        "number": 10**90,
    }
    lines = list(tree(("args",), [value], Look(width, unfolded=True)))
    shown = "".join("".join(text for _, text in line.pieces).strip() for line in lines)
    assert all(cells("".join(text for _, text in line.pieces)) <= width for line in lines)
    assert "".join(words) in shown.replace(" ", "")
    assert "日" * 40 in shown
    assert "1" + "0" * 90 in shown


def test_content_of_texts_is_shown_in_place() -> None:
    shown = detail_lines(event("e", {"body": '{"a": [1], "at": 1732363202}', "n": 1}))
    assert shown == [
        "▾ body  ‹JSON in a text› {2}",
        "  ▾ a   [1]",
        "      0  1",
        shown[3],
        '    as sent  "{\\"a\\": [1], \\"at\\": 1732363202}"',
        "  n     1",
    ]
    assert shown[3].startswith("    at  1732363202  (epoch s: 2024-11-23 ")
    assert detail_lines(event("e", {"body": "[1]", "n": 1}), "body")[0] == "▸ body  ‹JSON in a text› [1]"


def test_the_path_and_the_value_of_each_line() -> None:
    value = {"items": [{"sku": "A"}], "a b": 1, "body": '{"x": 1}', "": 2}
    places = [line.place for line in tree(("args",), [value], Look())]
    assert [path_text(place.path) for place in places if place] == [
        ".items",
        ".items[0]",
        ".items[0].sku",
        '.["a b"]',
        ".body",
        ".body | fromjson | .x",
        ".body",
        '.[""]',
    ]
    assert [place.value for place in places if place][2:5] == ["A", 1, '{"x": 1}']
    assert [path_text(line.place.path) for line in tree(("args",), [1, {"a": 2}], Look()) if line.place] == [
        ".[0]",
        ".[1]",
        ".[1].a",
    ]


def test_binary_is_shown_as_hex_with_its_type() -> None:
    record = event("e", {"png": PNG})
    (folded,) = detail_lines(record)
    assert folded.startswith("▸ png  ‹binary 68 B, PNG›  89 50 4e 47 0d 0a 1a 0a")
    unfolded = detail_lines(record, "png")
    assert len(unfolded) == 6
    assert unfolded[2].startswith("  00000010  08 09 0a")


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
