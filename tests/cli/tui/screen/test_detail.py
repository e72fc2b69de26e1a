import json
import time
from typing import Any

import pytest

from nsroom.record import Json, Record
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.json_tree import as_time
from tests.cli.tui.records import ack, emit, event, seen

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))


def lines(record: Record, *turned: Any, count: int = 50, answer: Record | None = None) -> list[str]:
    """Give the lines of a detail, with what stands under these keys turned."""
    detail = Detail(record, answer)
    for key in turned:
        path = next(line.path for line in detail.lines(0, 1000) if line.path and line.path[-1] == key)
        detail.toggle(path)
    return ["".join(text for _, text in line.pieces).rstrip() for line in detail.lines(0, count)]


def test_the_title_names_everything() -> None:
    record = emit("chart", 1, id=7, time=0, bytes=14_400, frames=["x", b"y"])._replace(seq=12_391)
    assert Detail(record).title() == (
        "chart  #12,391  →  /chat  ack id 7  14.4 kB, 2 frames  1970-01-01T00:00:00.000000Z"
    )


def test_a_single_object_shows_its_members() -> None:
    shown = lines(event("e", {"a": 1, "b": "x", "c": None, "d": {}, "e": [True]}))
    assert shown == ["  a  1", '  b  "x"', "  c  null", "  d  {}", "▾ e  [1]", "    0  true"]


def test_several_arguments_have_their_index() -> None:
    assert lines(event("e", 1, {"a": 2})) == ["  0  1", "▾ 1  {1}", "    a  2"]


def test_no_arguments() -> None:
    assert lines(event("e")) == ["  no arguments"]


def test_folding_and_unfolding() -> None:
    record = event("e", {"a": {"b": 1}, "c": 2})
    assert lines(record, "a") == ["▸ a  {1}", "  c  2"]
    assert lines(record, "a", "a") == ["▾ a  {1}", "    b  1", "  c  2"]


def test_much_begins_folded() -> None:
    assert lines(event("e", {"many": list(range(1000))})) == ["▸ many  [1,000]"]
    deep: Json = {"leaf": 1}
    for _ in range(10):
        deep = {"k": deep}
    assert lines(event("e", deep))[-1].strip().startswith("▸ k  {1}")


def test_a_long_text_unfolds_with_its_own_lines() -> None:
    record = event("e", {"log": "first\nsecond " + "x" * 200})
    assert lines(record) == [f'▸ log  "first\\nsecond {"x" * 44}…  213 characters']
    assert lines(record, "log")[:3] == ["▾ log  213 characters", "    first", f"    second {'x' * 89}"]


def test_binary_is_hex_and_a_guess() -> None:
    record = event("e", {"png": PNG})
    (folded,) = lines(record)
    assert folded.startswith("▸ png  ‹binary 68 B, PNG›  89 50 4e 47 0d 0a 1a 0a")
    unfolded = lines(record, "png")
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
def test_moments(value: Json, told: str) -> None:
    assert as_time(value) == told


def test_the_acknowledgement() -> None:
    record = emit("join", "x", id=1)
    assert lines(record, answer=ack("join", {"ok": True})) == [
        '  0  "x"',
        "  ✓ acknowledged after 2.4 ms",
        "    ok  true",
    ]
    assert "  ✗ refused after 2.4 ms" in lines(record, answer=ack("join", {"error": "no"}))


def test_the_frames_are_explained() -> None:
    shown = lines(event("e", frames=['42/chat,["e"]']), "frames")
    assert shown[:3] == ["  no arguments", "▾ frames  1 on the wire", '    42/chat,["e"]']
    assert any("namespace" in line and "/chat" in line for line in shown)


def test_a_malformed_frame_shows_unasked() -> None:
    shown = lines(seen("protocol_error", message="not a packet type", frames=["9\x1b"]))
    assert shown[:3] == ["  message   not a packet type", "▾ frames  1 on the wire", r"    9\x1b"]


def test_nothing_is_raw() -> None:
    evil = "\x1b]0;title\x07\u202e\x9b31m"
    record = event(
        evil, {evil: evil * 10, "b": [evil * 50]}, message=evil, frames=[f"42{evil}", evil.encode()]
    )
    shown = "".join([*lines(record, evil, 0, "frames"), Detail(record).title()])
    assert shown.isprintable()


@pytest.mark.parametrize(
    "args",
    [
        [{"text": "x" * 10_000_000}],
        [{f"key{n}": n for n in range(10_000)}],
        [list(range(1_000_000))],
        [b"x" * 10_000_000],
    ],
    ids=["10 MB of text", "10,000 keys", "a million items", "10 MB of binary"],
)
def test_much_is_made_only_as_far_as_it_is_looked_at(args: list[Json]) -> None:
    record = event("e", *args, frames=["42" + "x" * 10_000_000])
    began = time.process_time()
    json.dumps(args, default=repr)
    all_of_it = time.process_time() - began
    began = time.process_time()
    detail = Detail(record)
    for line in detail.lines(0, 20):
        if line.path is not None:
            detail.toggle(line.path)
    assert detail.lines(0, 20)
    assert time.process_time() - began < all_of_it  # a hundredth of it


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
