"""A recording is read record by record, and the line that is none is named."""

import io
import itertools

import pytest

from nsroom.errors import DataError
from nsroom.output import recording
from nsroom.output.ndjson import encode
from nsroom.output.recording import read
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
def test_records_come_back_with_their_lines(data: bytes, numbers: list[int]) -> None:
    assert [*read(io.BytesIO(data))] == [*zip(numbers, [EVENT, PING], strict=False)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello\n", "line 2: not JSON"),
        (b"[1]\n", "line 2: a record is a JSON object"),
        (b'{"kind":"shout"}\n', "line 2: kind: 'shout' is not one"),
        (b"\xff\n", "line 2: "),
        (FIRST[:-20], "the recording is torn: its last line has no end"),
    ],
)
def test_the_first_line_that_is_no_record_ends_it(line: bytes, complaint: str) -> None:
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
