"""What is recorded beside the screen, and recordings on the screen."""

import json
import re
from pathlib import Path

import pytest

from nsroom.errors import OutputError, UsageError
from nsroom.output.ndjson import encode
from nsroom.tui.recorder import Recorder
from nsroom.tui.screen.state import View
from tests.cli.tui.conftest import Show
from tests.cli.tui.records import event, model, seen, text
from tests.cli.tui.test_endings import left_on
from tests.peers.program import Runner

FRAMED = event("a", frames=['42["a"]'], bytes=7)
BROKEN = seen("protocol_error", frames=["9"], bytes=1)


def recorder(view: View, raw: bool = False) -> Recorder:
    return Recorder(view, lambda: None, raw)


def recorded(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_what_was_there_and_what_comes(tmp_path: Path) -> None:
    view = View(model(*(event("before", n) for n in range(5000))), "")
    sink = recorder(view)
    await sink.add(str(tmp_path / "f"), force=False)
    await sink.write([event("after")])
    await sink.close()
    assert [record["args"] for record in recorded(tmp_path / "f")] == [*([n] for n in range(5000)), []]
    assert (view.saved, len(view.model.records)) == (5001, 5001)


@pytest.mark.parametrize(("raw", "expected"), [(False, [False, True]), (True, [True, True])])
async def test_frames_are_recorded_when_asked_for(tmp_path: Path, raw: bool, expected: list[bool]) -> None:
    sink = recorder(View(model(), ""), raw)
    await sink.add(str(tmp_path / "f"), force=False)
    await sink.write([FRAMED, BROKEN])
    await sink.close()
    assert ["frames" in record for record in recorded(tmp_path / "f")] == expected


async def test_files_that_are_there_or_cannot_be(tmp_path: Path) -> None:
    sink = recorder(View(model(), ""))
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match="already exists"):
        await sink.add(str(tmp_path / "f"), force=False)
    with pytest.raises(OutputError, match="No such file"):
        await sink.add(str(tmp_path / "no" / "f"), force=False)
    await sink.add(str(tmp_path / "f"), force=True)
    await sink.close()


def write(file: Path, *lines: bytes) -> str:
    file.write_bytes(b"".join(lines))
    return str(file)


async def test_a_recording_opens_without_a_server(show: Show, tmp_path: Path) -> None:
    records = (seen("connect", sid="abc"), text("lobby", "ann", "from the past"))
    terminal = await show("replay", write(tmp_path / "r.ndjson", *map(encode, records)), "--view")
    await terminal.until("2 records")
    await terminal.until("lobby  ann: from the past")
    terminal.press("i", "hello", "Enter")
    await terminal.until("this is a recording: nothing can be sent")
    terminal.press("\x11")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_a_recording_of_the_proxy_shows_whose_each_packet_was(show: Show, tmp_path: Path) -> None:
    records = (
        seen("open", sid="abc"),
        seen("connect", sid="abc", data={"sid": "other"}),
        event("from the first", sid="abc"),
        event("from the second", sid="def"),
        seen("close", "local", sid="def"),
    )
    terminal = await show("replay", write(tmp_path / "r.ndjson", *map(encode, records)), "--view")
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


async def test_a_torn_and_hostile_recording_shows_what_can_be_read(show: Show, tmp_path: Path) -> None:
    lines = (
        encode(event("first")),
        b"\x1b]0;pwned\x07\n",
        b'{"time":"yesterday"}\n',
        b"\xff\xfe\n",
        b"[" * 5000 + b"\n",
        encode(event("\x1b[2Jlast")),
        encode(event("never"))[:40],
    )
    terminal = await show("replay", write(tmp_path / "r.ndjson", *lines), "--view")
    shown = await terminal.until("2 records, 5 lines unreadable")
    assert "line 2: not JSON" in shown
    assert r"\x1b[2Jlast" in shown
    assert "pwned" not in terminal.program.stdout.text.replace(r"\x1b]0;pwned", "")
    terminal.press("End", "Up", "Enter")
    await terminal.until("its last line has no end")


async def test_a_large_recording_comes_in_with_its_progress(show: Show, tmp_path: Path) -> None:
    lines = (encode(event("tick", {"n": n})) for n in range(150_000))
    terminal = await show("replay", write(tmp_path / "r.ndjson", *lines), "--view", cols=120)
    await terminal.until("reading ")
    await terminal.until("150,000 records", timeout=30)
    assert "older dropped" in terminal.text
    assert "{n: 149999}" in terminal.text


async def test_a_view_needs_a_terminal_and_a_file(nsroom: Runner, tmp_path: Path) -> None:
    result = await nsroom("replay", write(tmp_path / "r"), "--view")
    assert (result.code, result.stdout) == (2, "")
    assert "--view needs a terminal" in result.stderr


async def test_an_empty_recording(show: Show, tmp_path: Path) -> None:
    terminal = await show("replay", write(tmp_path / "r"), "--view")
    await terminal.until("0 records")
