"""The live view of a recording."""

import re
from pathlib import Path

import pytest

from nsroom.output.ndjson import encode
from nsroom.output.times import Times
from nsroom.tui.model.playback import Playback
from nsroom.tui.model.timeline import Timeline
from tests.cli.tui import drawing
from tests.cli.tui.conftest import Show
from tests.cli.tui.records import NOON, ack, emit, event, message, packet, view
from tests.cli.tui.screens import left_on

SECOND = 1_000_000


def write(file: Path, *lines: bytes) -> str:
    file.write_bytes(b"".join(lines))
    return str(file)


async def test_a_recording_opens_without_a_server(show: Show, tmp_path: Path) -> None:
    records = (packet("connect", sid="abc"), message("lobby", "ann", "from the past"))
    terminal = await show("show", write(tmp_path / "r.ndjson", *map(encode, records)))
    await terminal.until("2 records")
    await terminal.until("lobby  ann: from the past")
    terminal.press("i", "hello", "Enter")
    await terminal.until("this is a recording: nothing can be sent")
    terminal.press("\x11")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_a_recording_is_played(show: Show, tmp_path: Path) -> None:
    records = (
        event("join-room", {"room": "lobby", "sid": "1", "nick": "ann"}, time=NOON),
        event("first", time=NOON + 1),
        event("join-room", {"room": "lobby", "sid": "2", "nick": "bob"}, time=NOON + 3600 * SECOND),
        event("last", time=NOON + 2 * 3600 * SECOND),
    )
    terminal = await show("show", write(tmp_path / "r.ndjson", *map(encode, records)), "--speed", "2")
    shown = await terminal.until("2×  2 of 4")
    assert "first" in shown
    assert "bob" not in shown
    terminal.press(" ")
    await terminal.until("Space play")
    terminal.press(".")
    await terminal.until(lambda text: "3 of 4" in text and "   bob" in text)
    terminal.press("Up", "Up")
    await terminal.until(lambda text: "▌" in text and "   bob" not in text)
    terminal.press("@", "+2:00:00", "Enter")
    await terminal.until("4 records")
    terminal.press("@", "noon", "Enter")
    await terminal.until("unknown time 'noon'")
    terminal.press("\x15", "/speed 1000", "Enter")
    await terminal.gone("/speed")
    terminal.press("Escape", "Home", " ")
    await terminal.until("last", timeout=20)


async def test_a_recording_of_a_proxy_shows_the_client_of_each_packet(show: Show, tmp_path: Path) -> None:
    records = (
        packet("open", sid="abc"),
        packet("connect", sid="abc", data={"sid": "other"}),
        event("from the first", sid="abc"),
        event("from the second", sid="def"),
        packet("close", "local", sid="def"),
    )
    terminal = await show("show", write(tmp_path / "r.ndjson", *map(encode, records)))
    shown = await terminal.until("5 records of 2 clients")
    assert "CLIENTS" in shown
    assert re.search(r"← +#1 +from the first", shown)
    assert re.search(r"← +#2 +from the second", shown)
    assert re.search(r"● #1 abc", shown)
    assert re.search(r"○ #2 def", shown)
    terminal.press("Home", "C")
    await terminal.gone("from the second")
    terminal.press("\x11")
    assert await terminal.program.end() == 0


async def test_a_truncated_and_hostile_recording(show: Show, tmp_path: Path) -> None:
    lines = (
        encode(event("first")),
        b"\x1b]0;pwned\x07\n",
        b'{"time":"yesterday"}\n',
        b"\xff\xfe\n",
        b"[" * 5000 + b"\n",
        encode(event("\x1b[2Jlast")),
        encode(event("never"))[:40],
    )
    terminal = await show("show", write(tmp_path / "r.ndjson", *lines))
    shown = await terminal.until("2 records, 5 lines unreadable")
    assert "line 2: not JSON" in shown
    assert r"\x1b[2Jlast" in shown
    assert "pwned" not in terminal.program.stdout.text.replace(r"\x1b]0;pwned", "")
    terminal.press("End", "Up", "Enter")
    await terminal.until("its last line is incomplete")


@pytest.mark.no_cover
async def test_a_large_recording_shows_its_progress(show: Show, tmp_path: Path) -> None:
    lines = (encode(event("tick", {"n": n})) for n in range(150_000))
    terminal = await show("show", write(tmp_path / "r.ndjson", *lines), cols=120)
    await terminal.until("reading ")
    await terminal.until("150,000 records", timeout=90)
    assert "older dropped" in terminal.text
    assert "{n: 149999}" in terminal.text


async def test_an_empty_recording(show: Show, tmp_path: Path) -> None:
    terminal = await show("show", write(tmp_path / "r"))
    await terminal.until("0 records")


@drawing.sizes
async def test_how_a_part_looks(cols: int, rows: int) -> None:
    records = (
        packet("connect", sid="abc"),
        emit("join", {"room": "lobby"}, id=1),
        ack("join", {"ok": True}, id=1),
        event("join-room", {"room": "lobby", "sid": "1", "nick": "ann"}),
        message("lobby", "ann", "hello"),
        event("join-room", {"room": "lobby", "sid": "2", "nick": "bob"}),
        message("lobby", "bob", "hi"),
    )
    timed = [record._replace(time=NOON + at * SECOND) for at, record in enumerate(records)]
    viewed = view(*timed, room="lobby")
    viewed.recording_name, viewed.times = "session.ndjson", Times.UTC
    viewed.timeline, viewed.playback = Timeline(viewed.model), Playback(viewed.model)
    viewed.playback.seek(NOON + 4 * SECOND)
    viewed.playback.set_speed(2)
    await drawing.is_drawn(viewed, "playback", cols, rows)
