import base64
import json
import time

import pytest

from nsroom.output.terminal import cells
from nsroom.output.times import Times
from nsroom.record import Json
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.state import Focus, View
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import NOON, ack, detail_lines, emit, event, packet, view


def test_the_title() -> None:
    record = emit("chart", 1, id=7, time=0, bytes=14_400, frames=["x", b"y"])._replace(seq=12_391)
    detail = Detail(record, utc=True)
    assert detail.title() == (
        "chart  #12,391  →  /chat  ack id 7  14.4 kB, 2 frames  1970-01-01 00:00:00.000 UTC"
    )
    detail.resize(39, utc=True)
    assert detail.title() == "chart  #12,391  →  /chat  ack id 7"
    assert text_of(detail) == [
        "  0  1",
        "  size      14.4 kB, 2 frames",
        "  time      1970-01-01 00:00:00.000 UTC",
        "▸ frames  2 on the wire",
    ]


def text_of(detail: Detail) -> list[str]:
    """Return the text of the lines."""
    return ["".join(text for _, text in line.pieces).rstrip() for line in detail.lines(0, 1000)]


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
        evil, {evil: evil * 100, "b": [evil * 50]}, message=evil, frames=[f"42{evil}", evil.encode()]
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


@pytest.mark.parametrize("width", [30, 39, 79])
def test_nothing_of_a_frame_is_cut(width: int) -> None:
    text = "".join(chr(97 + n % 26) for n in range(5000))
    detail = Detail(packet("protocol_error", message="too long " * 40, frames=[f"9{text}"]))
    detail.resize(width, utc=True)
    assert all(cells(line) <= width for line in text_of(detail))
    assert text in "".join(line.strip() for line in text_of(detail))


def test_the_whole_name_of_an_event_is_reachable() -> None:
    detail = Detail(event("e" * 300, namespace="/" + "n" * 300))
    shown = "".join(line.strip() for line in text_of(detail)).replace("event", "").replace("namespace", "")
    assert "e" * 300 in shown
    assert "n" * 300 in shown


def test_times_are_in_one_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-5:30")
    time.tzset()
    try:
        record = event("e", {"at": 1732363202, "iso": "2024-11-23T12:00:02Z"}, time=1732363202_000000)
        local, utc = Detail(record), Detail(record, utc=True)
        for shown, detail in (("2024-11-23 17:30:02 +05:30", local), ("2024-11-23 12:00:02 UTC", utc)):
            assert detail.title().endswith(shown.replace(":02 ", ":02.000 "))
            assert text_of(detail) == [
                f"  at   1732363202  (epoch s: {shown})",
                f'  iso  "2024-11-23T12:00:02Z"  (ISO 8601: {shown})',
            ]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_differs_from_the_previous_event() -> None:
    old = event("price", {"bid": 1, "ask": 2, "old": True, "deep": {"a": [1, 2]}}, time=0)
    new = event("price", {"bid": 1, "ask": 2.5, "deep": {"a": [1, 3]}, "extra": {"x": 1}}, time=1_200_000)
    detail = Detail(new, previous=old)
    assert text_of(detail) == [
        f"  what differs from #{old.seq:,}, 1.2 s earlier",
        "  ~ .ask  2 → 2.5",
        "  ~ .deep.a[1]  2 → 3",
        "  + .extra",
        "      x  1",
        "  - .old  true",
        "  2 values unchanged",
    ]
    same = Detail(old, previous=old)
    assert text_of(same)[1:] == ["  nothing: the arguments are the same"]


def search(detail: Detail, pattern: str, row: int = 0) -> str | None:
    """Search from a row downwards; return the line found."""
    found = detail.find(pattern, detail.unfold(pattern, row) - 1, forward=True)
    return None if found is None else text_of(detail)[found]


def test_the_search_unfolds_what_it_finds() -> None:
    record = event("e", {"many": [{"n": n} for n in range(60)], "text": "a needle " * 80, "x": "y" * 500})
    detail = Detail(record, answer=ack("e", {"deep": {"Needle": 1}}))
    assert len(text_of(detail)) < 10
    assert "needle" in (search(detail, "NEEDLE") or "")
    assert any("Needle  1" in line for line in text_of(detail))
    assert "▸ many" in text_of(detail)[0]
    assert (search(detail, "n  59") or "").strip() == "n  59"
    assert search(detail, "nothing like this") is None
    assert detail.find("needle", 0, forward=False) is None
    assert detail.find("needle", 20_000, forward=False) is not None


def test_the_search_finds_text_over_two_lines() -> None:
    detail = Detail(event("e", {"text": "x" * 95 + "needle" + "x" * 300}))
    assert search(detail, "needle") is not None


def of_every_kind() -> View:
    """Return a view of the detail of an event with all that is decoded, and an earlier event of the name."""
    part = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=")
        for each in ({"alg": "none"}, {"sub": "ann"})
    ]
    order = {
        "id": 8812,
        "customer": {
            "name": "Ann Smith",
            "note": "ring the bell twice, then wait for the dog to be taken away",
        },
        "items": [{"sku": "A-1"}, {"sku": "B-7"}],
        "at": 1732363202,
        "due": "2024-11-24T12:00:00+01:00",
        "body": json.dumps({"a": [1], "b": "x"}),
        "token": f"{part[0]}.{part[1]}.x",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
        "log": "first\nsecond 日本語日本語日本語日本語",
    }
    before = {**order, "id": 8811, "items": [{"sku": "A-1"}], "coupon": "X"}
    records = event("order", before, time=NOON), event("order", order, time=NOON + 1_200_000, bytes=480)
    viewed = view(*(record._replace(seq=at) for at, record in enumerate(records, 41)))
    viewed.times = Times.UTC
    viewed.model.select(1)
    viewed.show_detail()
    return viewed


@sizes
async def test_a_detail_of_every_kind(cols: int, rows: int) -> None:
    await is_drawn(of_every_kind(), "detail-decoded", cols, rows, Focus.DETAIL)


@sizes
async def test_a_detail_at_its_end(cols: int, rows: int) -> None:
    viewed = of_every_kind()
    viewed.detail_row = 20_000
    await is_drawn(viewed, "detail-end", cols, rows, Focus.DETAIL)


@sizes
async def test_a_comparison(cols: int, rows: int) -> None:
    viewed = of_every_kind()
    viewed.comparing = True
    viewed.show_detail()
    await is_drawn(viewed, "detail-compared", cols, rows, Focus.DETAIL)
