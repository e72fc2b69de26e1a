"""NDJSON, and the pump that feeds the sinks."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from nsroom.filters import parse
from nsroom.output.recording import FileSink
from nsroom.output.sinks import NdjsonSink, Sink, pump
from nsroom.output.writer import ClosedOutput, Output
from nsroom.record import Direction, Json, Kind, Record, from_json


def event(seq: int = 1, name: str = "hi", args: list[Json] | None = None, **fields: Any) -> Record:
    return Record(1732363202123456, seq, Direction.IN, Kind.EVENT, "/", event=name, args=args, **fields)


class Collected:
    """A sink that keeps the numbers of its records."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    async def write(self, records: Sequence[Record]) -> None:
        """Keep them."""
        self.seqs += [record.seq for record in records]

    async def close(self) -> None:
        """Do nothing."""


async def batches(*sizes: int) -> AsyncIterator[list[Record]]:
    seq = 0
    for size in sizes:
        yield [event(seq + offset, args=[(seq + offset) % 2]) for offset in range(size)]
        seq += size


async def test_every_sink_has_its_own_filter() -> None:
    shown, saved = Collected(), Collected()
    assert await pump(batches(3, 0, 4), [(parse("arg.0=1"), shown), (None, saved)]) == 3
    assert shown.seqs == [1, 3, 5]
    assert saved.seqs == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("count", "shown", "saved"), [(1, [1], 2), (2, [1, 3], 4), (3, [1, 3, 5], 6)])
async def test_the_count_is_exact(count: int, shown: list[int], saved: int) -> None:
    first, second = Collected(), Collected()
    async with aclosing(batches(3, 10, 10)) as source:  # type: ignore[type-var]
        assert await pump(source, [(parse("arg.0=1"), first), (None, second)], count) == count
    assert first.seqs == shown
    assert second.seqs == list(range(saved))


async def test_a_count_that_is_never_reached() -> None:
    sink = Collected()
    assert await pump(batches(3), [(None, sink)], 5) == 3
    assert sink.seqs == [0, 1, 2]


async def test_a_recording_has_everything_written_to_a_closed_pipe(tmp_path: Path) -> None:
    file = tmp_path / "out"
    reading, writing = os.pipe()
    os.close(reading)
    saved = FileSink(str(file))
    with pytest.raises(ClosedOutput):
        await pump(batches(3), [(None, NdjsonSink(Output(writing))), (None, saved)])
    await saved.close()
    os.close(writing)
    assert len(file.read_text("utf-8").splitlines()) == 3


async def test_ndjson_through_a_pipe() -> None:
    reading, writing = os.pipe()
    sink: Sink = NdjsonSink(Output(writing))
    records = [event(number, args=[number, "é", b"x"]) for number in range(500)]
    with os.fdopen(reading, "rb") as stream:
        got = asyncio.create_task(asyncio.to_thread(stream.read))
        await sink.write(records)
        await sink.close()
        os.close(writing)
        text = await got
    assert text.isascii()
    assert [from_json(json.loads(line)) for line in text.splitlines()] == records
