"""Recordings: private files of NDJSON, read record by record; the first invalid line is named."""

import io
import itertools
import json
import os
import stat
from pathlib import Path

import pytest

from nsroom.errors import DataError, ExitCode, OutputError, UsageError
from nsroom.output import recording
from nsroom.output.ndjson import encode
from nsroom.output.recording import FileSink, read, salvage
from nsroom.record import Direction, Kind, Record

EVENT = Record(1, 1, Direction.IN, Kind.EVENT, "/", None, "e", [b"\0", {"$binary": 1}, "\ud800", 2**64])
PING = Record(2, 2, Direction.IN, Kind.PING)
FIRST, SECOND = encode(EVENT), encode(PING)


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (b"", []),
        (FIRST + SECOND, [1, 2]),
        (b"\n" + FIRST + b" \r\n" + SECOND, [2, 4]),
        ((FIRST + SECOND).replace(b"\n", b"\r\n"), [1, 2]),
        (FIRST + SECOND.rstrip(), [1, 2]),
    ],
)
def test_records_are_read_with_their_line_numbers(data: bytes, numbers: list[int]) -> None:
    assert [*read(io.BytesIO(data))] == [*zip(numbers, [EVENT, PING], strict=False)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello\n", "line 2: not JSON"),
        (b"[1]\n", "line 2: a record must be a JSON object"),
        (b'{"kind":"shout"}\n', "line 2: invalid kind: 'shout'"),
        (b"\xff\n", "line 2: "),
        (FIRST[:-20], "the recording is truncated: its last line is incomplete"),
    ],
)
def test_reading_ends_at_the_first_invalid_line(line: bytes, complaint: str) -> None:
    records = read(io.BytesIO(SECOND + line))
    assert next(records) == (1, PING)
    with pytest.raises(DataError) as caught:
        next(records)
    assert complaint in str(caught.value)


def test_reading_takes_one_line_at_a_time() -> None:
    """A recording may be larger than memory, or a pipe that is still written to."""

    class Pipe(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            buffer[: len(SECOND)] = SECOND
            return len(SECOND)

    endless = read(io.BufferedReader(Pipe(), buffer_size=4096))
    assert [number for number, _ in itertools.islice(endless, 100)] == [*range(1, 101)]


def test_a_line_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_LINE", 10)
    with pytest.raises(DataError, match="line 1"):
        [*read(io.BytesIO(FIRST))]


def test_salvage_continues_after_an_invalid_line() -> None:
    found = [*salvage(io.BytesIO(FIRST + b"nonsense\n\n" + SECOND))]
    assert [size for size, _ in found] == [len(FIRST), 9, len(SECOND)]
    assert [found[0][1], found[2][1]] == [EVENT, PING]
    assert str(found[1][1]).startswith("line 2: not JSON")


def text_in(file: Path) -> str:
    return file.read_text("utf-8")


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    file = tmp_path / "out"
    file.write_text("old and long\n" * 100)
    file.chmod(0o644)
    return file


async def test_a_recording_is_private_and_written_at_once(tmp_path: Path) -> None:
    file = tmp_path / "out"
    sink = FileSink(str(file))
    await sink.write([EVENT, PING])
    assert [json.loads(line)["seq"] for line in text_in(file).splitlines()] == [1, 2]
    assert mode_of(file) == 0o600
    await sink.close()


async def test_a_recording_is_not_overwritten_unless_forced(old_file: Path) -> None:
    with pytest.raises(UsageError, match=r"already exists: .*--force"):
        FileSink(str(old_file))
    sink = FileSink(str(old_file), force=True)
    await sink.write([EVENT])
    await sink.close()
    assert text_in(old_file) == encode(EVENT).decode()
    assert mode_of(old_file) == 0o600


def test_a_recording_that_cannot_be_made(tmp_path: Path) -> None:
    path = tmp_path / "no" / "x.ndjson"
    with pytest.raises(OutputError) as raised:
        FileSink(str(path))
    assert str(raised.value) == f"cannot write to {path}: No such file or directory"
    assert raised.value.code is ExitCode.OUTPUT


async def test_a_recording_on_a_full_disk() -> None:
    sink = FileSink("/dev/full", force=True)
    with pytest.raises(OutputError, match="cannot write to /dev/full: No space left on device"):
        await sink.write([EVENT])
    await sink.close()


@pytest.mark.parametrize("force", [True, False])
def test_a_symbolic_link_is_not_followed(old_file: Path, tmp_path: Path, force: bool) -> None:
    link = tmp_path / "link"
    link.symlink_to(old_file)
    before = text_in(old_file)
    with pytest.raises(OutputError if force else UsageError, match=r"symbolic link|already exists"):
        FileSink(str(link), force=force)
    assert (text_in(old_file), mode_of(old_file)) == (before, 0o644)


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(OutputError, match="it is a symbolic link; name the file that it points to"):
        FileSink(str(link), force=True)
    assert not (tmp_path / "target").exists()


async def test_a_pipe_is_written_to_if_a_program_reads_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    with pytest.raises(OutputError, match="it is a pipe that no program reads from"):
        FileSink(str(pipe), force=True)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sink = FileSink(str(pipe), force=True)
        await sink.write([EVENT])
        await sink.close()
        assert os.read(reader, 65_536) == FIRST
    finally:
        os.close(reader)
    assert mode_of(pipe) == 0o644
