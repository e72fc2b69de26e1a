"""Recordings, HAR files and network captures are told apart by their first bytes."""

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from nsroom.capture.recorded import read_file, recognise, salvage
from nsroom.errors import DataError
from nsroom.output import recording
from nsroom.record import Record
from tests.cli.capture.wire import START, pcap, pcapng

DEMO = Path(__file__).parent / "demo.pcap"
LINE = b'{"kind":"event","event":"a","args":[1]}\n'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pcap([]), True),
        (pcap([], order=">", nano=True), True),
        (pcapng([]), True),
        (LINE, False),
        (b"", False),
        (b"\n\r\r", False),
        (b"\n" + LINE, False),
        (b"\xd4\xc3\xb2", False),
        ('42["a"]\n'.encode("utf-16"), False),
    ],
)
def test_recognise(data: bytes, expected: bool) -> None:
    is_capture, file = recognise(io.BytesIO(data))
    assert (is_capture, file.read()) == (expected, data)


def test_a_short_line_is_not_waited_for_longer_than_needed() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
        sink.write(b"2\n")
        is_capture, file = recognise(source)
        assert (is_capture, file.readline()) == (False, b"2\n")
        assert file.fileno() == reading


def test_records_come_as_the_bytes_do() -> None:
    data = DEMO.read_bytes()
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
        items: Any = salvage(source)
        # Of the first packets only, and the pipe stays open.
        sink.write(data[:2000])
        read: list[Any] = []
        reader = threading.Thread(target=lambda: read.append(next(items)), daemon=True)
        reader.start()
        reader.join(30)
        assert isinstance(read[0][1], Record)


def test_a_capture_that_is_cut_off_ends_with_the_error() -> None:
    *items, (size, last) = salvage(io.BytesIO(DEMO.read_bytes()[:-5]))
    assert all(isinstance(item, Record) for _, item in items)
    assert (size, str(last)) == (0, "the capture is cut off at byte 15,654, after 110 packets")


def test_what_is_said_of_a_capture() -> None:
    said: list[str] = []
    ((_, error),) = salvage(io.BytesIO(pcap([(START, b"\x45")])), said.append)
    assert str(error).startswith("no Engine.IO traffic in this capture (1 packets)")
    assert said == ["not read: packets cut off within their headers (1)"]


def test_records_have_their_frames() -> None:
    items = [item for _, item in salvage(io.BytesIO(DEMO.read_bytes()))]
    first = next(item for item in items if isinstance(item, Record) and item.event == "hi")
    assert first.frames == ['42/chat,["hi","everyone!"]']


def test_read_file(tmp_path: Path) -> None:
    assert next(read_file(DEMO)).kind == "open"
    (tmp_path / "a.ndjson").write_bytes(LINE + b"{")
    records = read_file(tmp_path / "a.ndjson")
    assert next(records).event == "a"
    with pytest.raises(DataError, match=r"a\.ndjson: line 2"):
        next(records)


def test_recordings_are_read_as_before() -> None:
    assert list(salvage(io.BytesIO(LINE * 3))) == list(recording.salvage(io.BytesIO(LINE * 3)))
