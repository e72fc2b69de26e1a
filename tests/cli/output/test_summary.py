"""Records as one readable line."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.file_types import binary_type
from nsroom.output.summary import UNBOUNDED, Columns, Style, line, refused, summary, text_line
from nsroom.output.terminal import cells
from nsroom.record import Direction, Json, Kind, Record

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def seen(kind: str = "event", direction: str = "in", **fields: Any) -> Record:
    return Record(1732363202123456, 1, Direction(direction), Kind(kind), **fields)


def text_of(record: Record, width: int | None = None, namespace_cells: int = 0) -> str:
    """Return the line without its time, which is local."""
    return "".join(text for _, text in line(record, width, Columns(namespace_cells)))[12:]


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        ([], ""),
        (["everyone!"], '"everyone!"'),
        (["a", 1, None, True, 2.5], '"a", 1, null, true, 2.5'),
        ([{"symbol": "ACME", "bid": 12.5, "a b": []}], '{symbol: "ACME", bid: 12.5, "a b": []}'),
        ([{}], "{}"),
        ([[1, [2, [3]]]], "[1, [2, [3]]]"),
        (
            [{"png": b"\x89PNG\r\n\x1a\n" + bytes(14192), "at": 1}],
            "{png: ‹binary 14.2 kB, PNG›, at: 1}",
        ),
        ([b"abc"], "‹binary 3 B›"),
        (['say "hi"\n'], '"say \\"hi\\"\\n"'),
        (["\x1b[31m\u202e"], r'"\u001b[31m\u202e"'),
        ([{"\x07": 1}], r'{"\u0007": 1}'),
        ([{"text": "hi"}], '{text: "hi"}'),
        ([{"text": 1, "nick": "x"}], '{text: 1, nick: "x"}'),
        ([{"text": "hi", "nick": "bob", "room": "lobby"}], "lobby  bob: hi"),
        ([{"text": "hi", "from": "sid1", "room": "lobby"}], "lobby  sid1: hi"),
        ([{"text": "hi", "nick": "bob"}], "bob: hi"),
        ([{"text": "hi", "room": "lobby"}], "lobby  hi"),
        ([{"text": "a\n\x1b]0;t\x07", "room": "lobby", "nick": "\x9b"}], r"lobby  \x9b: a\n\x1b]0;t\x07"),
    ],
)
def test_arguments(args: list[Json], shown: str) -> None:
    assert summary(seen(event="e", args=args), UNBOUNDED) == shown


@given(st.lists(VALUES), st.integers(1, 120))
def test_any_summary_fits_and_is_harmless(args: list[Json], width: int) -> None:
    shown = summary(seen(event="e", args=args), width)
    assert cells(shown) <= width
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in shown)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (seen(event="hi", args=["x"]), '  ←  hi              "x"'),
        (seen(direction="out", event="join", id=1, args=["lobby"]), '  →  join            "lobby"'),
        (
            seen("ack", event="join", id=1, args=[{"ok": True}], rtt_ms=2.41),
            "  ←  ack join        {ok: true}  ✓ 2.4 ms",
        ),
        (
            seen("ack", event="join", args=[{"error": "no"}], rtt_ms=12.0),
            '  ←  ack join        {error: "no"}  ✗ 12 ms',
        ),
        (seen("ack", id=1, args=[]), "  ←  ack           "),
        (
            seen(event="join-room", args=[{"room": "lobby", "nick": "ann", "members": 3}]),
            "  ←  join-room       lobby  ann joined  (3)",
        ),
        (
            seen(event="leave-room", args=[{"room": "lobby", "sid": "s1"}]),
            "  ←  leave-room      lobby  s1 left",
        ),
        (seen(event="create-room", args=[{"room": "lobby"}]), "  ←  create-room     lobby  created"),
        (seen(event="join-room", args=["lobby"]), '  ←  join-room       "lobby"'),
        (seen("connect", sid="abc"), "  ●  connected       abc"),
        (seen("connect", "out"), "  →  connecting    "),
        (seen("connect_error", message="Invalid namespace"), "  ✗  refused         Invalid namespace"),
        (seen("connect_error", message="no", data={"message": "no"}), "  ✗  refused         no"),
        (seen("connect_error", message="no", data={"code": 1}), "  ✗  refused         no, {code: 1}"),
        (seen("disconnect", reason="transport close"), "  ✗  disconnected    transport close"),
        (
            seen("protocol_error", reason="not a packet type", frames=["9a\x07"]),
            r'  ≠  malformed       not a packet type, "9a\u0007"',
        ),
        (
            seen("reconnect", "local", message="refused", data={"attempt": 2, "delay_ms": 812}),
            "  ◌  trying again    in 812 ms (try 2): refused",
        ),
        (
            seen("gap", "local", reason="ping timeout", message="0.8 s", data={"ms": 811}),
            "  ●  reconnected     0.8 s",
        ),
        (
            seen("gap", "local", message="7 bytes are missing", data={"direction": "in", "bytes": 7}),
            "  ≠  missing         7 bytes are missing",
        ),
        (seen("ping"), "  ←  ping          "),
        (seen("event", "local", event="e"), "  ·  e             "),
        (seen(event=7, args=[]), "  ←  7             "),
        (seen(event="\x1b]0;x\x07", args=[]), r"  ←  \x1b]0;x\x07  "),
        (seen(event="a-very-long-name-of-an-event", args=[1]), "  ←  a-very-long-name-of-an-event  1"),
        (seen(event="漢字", args=[1]), "  ←  漢字            1"),
    ],
)
def test_a_line(record: Record, shown: str) -> None:
    assert text_of(record) == shown


def test_a_namespace_column() -> None:
    assert text_of(seen(event="hi", namespace="/chat"), None, 6) == "  ←  /chat   hi            "
    assert text_of(seen(event="hi", namespace="/\x1b[2J-long"), None, 6) == r"  ←  /\x1b…  hi            "


def test_the_round_trip_is_at_the_right_edge() -> None:
    record = seen("ack", event="join", args=["ok"], rtt_ms=2.4)
    text = text_of(record, 80)
    assert text.endswith("  ✓ 2.4 ms")
    assert cells(text) + 12 == 80


@given(st.lists(VALUES), st.text(), st.none() | st.floats(0, 1e6), st.integers(100, 200))
def test_a_line_fits(args: list[Json], event: str, rtt_ms: float | None, width: int) -> None:
    assert cells(text_of(seen(event=event, args=args, rtt_ms=rtt_ms), width)) + 12 <= width


@pytest.mark.parametrize(
    ("record", "styles"),
    [
        (seen(event="hi", args=[1]), [Style.TIME, Style.SIGN, Style.EVENT, Style.TEXT]),
        (seen("connect", sid="x"), [Style.TIME, Style.GOOD, Style.GOOD, Style.TEXT]),
        (seen("disconnect"), [Style.TIME, Style.FAILED, Style.FAILED]),
        (seen("ping", message="x"), [Style.TIME, Style.QUIET, Style.QUIET, Style.QUIET]),
        (seen("ack", rtt_ms=1.0), [Style.TIME, Style.SIGN, Style.EVENT, Style.TEXT, Style.GOOD]),
        (
            seen("ack", rtt_ms=1.0, args=[{"error": 1}]),
            [Style.TIME, Style.SIGN, Style.EVENT, Style.TEXT, Style.FAILED],
        ),
    ],
)
def test_styles(record: Record, styles: list[Style]) -> None:
    assert [style for style, _ in line(record)] == styles


def test_a_time_beyond_the_local_clock() -> None:
    far = seen(event="e")._replace(time=10**18)
    assert line(far)[0] == (Style.TIME, "--:--:--.000")


@pytest.mark.parametrize(
    ("args", "no"),
    [
        ([{"error": "x"}], True),
        ([{"error": None}], True),
        ([{"ok": True}], False),
        (["error"], False),
        ([], False),
    ],
)
def test_refused(args: list[Json], no: bool) -> None:
    assert refused(seen("ack", args=args)) is no
    assert not refused(seen("event", args=args))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", ""),
        (b"hello", ""),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"RIFF....WEBP", "WebP"),
        (b"RIFF....WAVE", "WAV"),
        (b"RIFF....????", ""),
        (b"....ftypisom", "MP4"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\0asm\1\0\0\0", "WebAssembly"),
    ],
)
def test_binary_type(data: bytes, name: str) -> None:
    assert binary_type(data) == name


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (None, '"hi"'),
        ({"rooms": ["lobby"]}, 'lobby  "hi"'),
        ({"rooms": ["a", 7, "7"], "except": ["x"]}, 'a, 7, "7"  "hi"'),
        ({"rooms": "odd"}, '"hi"'),
        ({"replayed": True}, '"hi"'),
        ({"rooms": ["\x1b[2J"]}, '\\x1b[2J  "hi"'),
    ],
)
def test_an_event_to_several_clients_shows_their_rooms(data: Json, shown: str) -> None:
    assert summary(seen(event="news", args=["hi"], data=data), 80) == shown


def test_only_some_of_many_rooms_are_shown() -> None:
    many = seen(event="news", args=[], data={"rooms": [f"r{number}" for number in range(1000)]})
    assert summary(many, 200).split() == [*(f"r{number}," for number in range(9)), "r9"]


@given(
    st.sampled_from(list(Kind)),
    st.sampled_from(list(Direction)),
    st.none()
    | st.text(max_size=60)
    | st.sampled_from(["message", "join-room"])
    | st.integers()
    | st.floats(),
    st.lists(VALUES | st.just({"text": "hi ", "room": "a", "nick": "b"}), max_size=3),
    st.none() | st.text(max_size=30),
    st.sampled_from([Columns(), Columns(5, 20), Columns(0, 3)]),
    st.none() | st.floats(0, 1e6),
)
def test_a_line_of_text_is_the_pieces_of_the_line(
    kind: Kind,
    direction: Direction,
    event: str | float | None,
    args: list[Json],
    name: str | None,
    columns: Columns,
    trip: float | None,
) -> None:
    record = Record(1732363202123456, 1, direction, kind, name, None, event, args, trip, name)
    pieces = "".join(text for _, text in line(record, None, columns, "now"))
    assert text_line(record, columns, "now") == pieces.rstrip(" ")
