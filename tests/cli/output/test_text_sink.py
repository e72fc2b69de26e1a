"""Readable lines."""

import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nsroom.output.text_sink import TextSink
from nsroom.output.writer import Output
from nsroom.record import Direction, Kind, Record
from tests.cli.tui import records

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202e[link=x]\x01\x02"


event = partial(records.event, namespace="/")


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
        *written: Record, colour: bool = False, width: int | None = None, **options: Any
    ) -> list[str]:
        sink = TextSink(Output(fd), colour, width, **options)
        for record in written:
            await sink.write([record])
        await sink.close()
        return [line[12:] for line in text_in(file).splitlines()]

    yield write
    os.close(fd)


async def test_text_lines(lines: Callable[..., Any]) -> None:
    ack = Record(0, 2, Direction.IN, Kind.ACK, "/", 1, "join", [{"ok": True}], 2.41)
    assert await lines(event("hi", "everyone!"), ack, event("e")) == [
        '  ←  hi              "everyone!"',
        "  ←  ack join        {ok: true}  ✓ 2.4 ms",
        "  ←  e",
    ]


async def test_the_namespace_column_appears_when_needed_and_stays(lines: Callable[..., Any]) -> None:
    other = event("e", namespace="/chat")
    assert await lines(event("e"), other, event("e")) == [
        "  ←  e",
        "  ←  /chat  e",
        "  ←  /      e",
    ]


async def test_wide_namespaces_align(lines: Callable[..., Any]) -> None:
    wide, other = (event("e", namespace=name) for name in ("/漢字", "/room"))
    assert await lines(wide, other) == ["  ←  /漢字  e", "  ←  /room  e"]


async def test_only_our_own_colours_are_written(lines: Callable[..., Any], file: Path) -> None:
    await lines(event(HOSTILE, HOSTILE, {HOSTILE: 1}), colour=True)
    text = text_in(file)
    for ours in ("\x1b[2m", "\x1b[36m", "\x1b[1m", "\x1b[0m"):
        assert ours in text
        text = text.replace(ours, "")
    assert text.rstrip("\n").isprintable()
    assert "[link=x]" in text


async def test_no_colours_unless_asked_for(lines: Callable[..., Any], file: Path) -> None:
    await lines(event(HOSTILE, HOSTILE), Record(0, 1, Direction.IN, Kind.CLOSE, reason=HOSTILE))
    assert all(line.isprintable() for line in text_in(file).splitlines())


async def test_several_namespaces_have_a_column_from_the_first_line(lines: Callable[..., Any]) -> None:
    first, second = await lines(event("hi"), event("hi", namespace="/chat"), namespaces=("/", "/chat"))
    assert (first, second) == ("  ←  /      hi", "  ←  /chat  hi")
    (alone,) = (await lines(event("hi"), namespaces=("/",)))[2:]
    assert alone == "  ←  hi"
