import json
import time

import pytest

from nsroom.record import Json
from nsroom.tui.screen.detail import Detail
from tests.cli.tui.records import ack, detail_lines, emit, event, packet


def test_the_title() -> None:
    record = emit("chart", 1, id=7, time=0, bytes=14_400, frames=["x", b"y"])._replace(seq=12_391)
    assert Detail(record).title() == (
        "chart  #12,391  →  /chat  ack id 7  14.4 kB, 2 frames  1970-01-01T00:00:00.000000Z"
    )


def test_no_arguments() -> None:
    assert detail_lines(event("e")) == ["  no arguments"]


def test_the_acknowledgement() -> None:
    record = emit("join", "x", id=1)
    assert detail_lines(record, answer=ack("join", {"ok": True})) == [
        '  0  "x"',
        "  ✓ acknowledged after 2.4 ms",
        "    ok  true",
    ]
    assert "  ✗ refused after 2.4 ms" in detail_lines(record, answer=ack("join", {"error": "no"}))


def test_the_frames_are_explained() -> None:
    shown = detail_lines(event("e", frames=['42/chat,["e"]']), "frames")
    assert shown[:3] == ["  no arguments", "▾ frames  1 on the wire", '    42/chat,["e"]']
    assert any("namespace" in line and "/chat" in line for line in shown)


def test_a_malformed_frame_starts_unfolded() -> None:
    shown = detail_lines(packet("protocol_error", message="not a packet type", frames=["9\x1b"]))
    assert shown[:3] == ["  message   not a packet type", "▾ frames  1 on the wire", r"    9\x1b"]


def test_all_text_is_safe() -> None:
    evil = "\x1b]0;title\x07\u202e\x9b31m"
    record = event(
        evil, {evil: evil * 10, "b": [evil * 50]}, message=evil, frames=[f"42{evil}", evil.encode()]
    )
    shown = "".join([*detail_lines(record, evil, 0, "frames"), Detail(record).title()])
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
def test_large_values_are_rendered_lazily(args: list[Json]) -> None:
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
