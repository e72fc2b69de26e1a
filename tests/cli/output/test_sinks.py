"""NDJSON and readable lines, and the pump that feeds them."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from nsroom.filters import parse
from nsroom.output.recording import FileSink
from nsroom.output.sinks import NdjsonSink, Sink, pump
from nsroom.output.text_sink import TextSink
from nsroom.output.writer import ClosedOutput, Output
from nsroom.record import Direction, Json, Kind, Record, from_json

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202e[link=x]\x01\x02"


def event(seq: int = 1, name: str = "hi", args: list[Json] | None = None, **fields: Any) -> Record:
    return Record(1732363202123456, seq, Direction.IN, Kind.EVENT, "/", event=name, args=args, **fields)


def text_in(file: Path) -> str:
    return file.read_text("utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
async def lines(file: Path) -> AsyncIterator[Callable[..., Any]]:
    """Write records through a text sink and return the lines without their local time."""
    fd = os.open(file, os.O_RDWR | os.O_CREAT)

    async def write(
        *records: Record, colour: bool = False, width: int | None = None, **options: Any
    ) -> list[str]:
        sink = TextSink(Output(fd), colour, width, **options)
        for record in records:
            await sink.write([record])
        await sink.close()
        return [line[12:] for line in text_in(file).splitlines()]

    yield write
    os.close(fd)


async def test_text_lines(lines: Callable[..., Any]) -> None:
    ack = Record(0, 2, Direction.IN, Kind.ACK, "/", 1, "join", [{"ok": True}], 2.41)
    assert await lines(event(args=["everyone!"]), ack, event(name="e")) == [
        '  ←  hi              "everyone!"',
        "  ←  ack join        {ok: true}  ✓ 2.4 ms",
        "  ←  e",
    ]


async def test_the_namespace_column_appears_when_needed_and_stays(lines: Callable[..., Any]) -> None:
    other = event(name="e")._replace(namespace="/chat")
    assert await lines(event(name="e"), other, event(name="e")) == [
        "  ←  e",
        "  ←  /chat  e",
        "  ←  /      e",
    ]


async def test_wide_namespaces_align(lines: Callable[..., Any]) -> None:
    wide, other = (event(name="e")._replace(namespace=name) for name in ("/漢字", "/room"))
    assert await lines(wide, other) == ["  ←  /漢字  e", "  ←  /room  e"]


async def test_only_our_own_colours_are_written(lines: Callable[..., Any], file: Path) -> None:
    await lines(event(name=HOSTILE, args=[HOSTILE, {HOSTILE: 1}]), colour=True)
    text = text_in(file)
    for ours in ("\x1b[2m", "\x1b[36m", "\x1b[1m", "\x1b[0m"):
        assert ours in text
        text = text.replace(ours, "")
    assert text.rstrip("\n").isprintable()
    assert "[link=x]" in text


async def test_no_colours_unless_asked_for(lines: Callable[..., Any], file: Path) -> None:
    await lines(event(name=HOSTILE, args=[HOSTILE]), Record(0, 1, Direction.IN, Kind.CLOSE, reason=HOSTILE))
    assert all(line.isprintable() for line in text_in(file).splitlines())


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


async def test_a_recording_has_everything_written_to_a_closed_pipe(file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    saved = FileSink(str(file))
    with pytest.raises(ClosedOutput):
        await pump(batches(3), [(None, NdjsonSink(Output(writing))), (None, saved)])
    await saved.close()
    os.close(writing)
    assert len(text_in(file).splitlines()) == 3


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


async def test_several_namespaces_have_a_column_from_the_first_line(lines: Callable[..., Any]) -> None:
    first, second = await lines(
        event(args=[]), event(args=[])._replace(namespace="/chat"), namespaces=("/", "/chat")
    )
    assert (first, second) == ("  ←  /      hi", "  ←  /chat  hi")
    (alone,) = (await lines(event(args=[]), namespaces=("/",)))[2:]
    assert alone == "  ←  hi"
