"""Text with a byte order mark, or in UTF-16: read from files, and piece by piece."""

import codecs
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.encoding import Utf8Decoder, read_blocks, read_lines
from tests.peers.program import Runner

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufeff"))
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be")
MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def encoded(text: str, encoding: str) -> bytes:
    return MARKS.get(encoding, b"") + text.encode(encoding)


@given(TEXTS, st.sampled_from(ENCODINGS), st.integers(1, 7))
def test_any_pieces_make_the_same_text(text: str, encoding: str, size: int) -> None:
    data, decoder = encoded(text, encoding), Utf8Decoder()
    pieces = [decoder.feed(data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join([*pieces, decoder.feed(b"", final=True)]) == text.encode()


@given(TEXTS, st.sampled_from(ENCODINGS))
def test_lines_of_a_file(text: str, encoding: str) -> None:
    lines = list(read_lines(io.BytesIO(encoded(text, encoding)), 10_000))
    assert lines == list(io.BytesIO(text.encode()))


@given(TEXTS, st.sampled_from(ENCODINGS), st.integers(1, 40))
def test_blocks_of_a_file_are_whole_lines(text: str, encoding: str, size: int) -> None:
    file: io.BufferedReader = io.BufferedReader(io.BytesIO(encoded(text, encoding)))
    *blocks, last = [b"", *read_blocks(file, size, 10_000)]
    assert b"".join([*blocks, last]) == text.encode()
    assert all(block.endswith(b"\n") for block in blocks[1:])


def test_a_block_is_what_has_arrived() -> None:
    ours, theirs = os.pipe()
    with open(ours, "rb") as file, open(theirs, "wb", buffering=0) as writer:
        blocks = read_blocks(file, 100, 1000)
        for text in (b"a\n", b"b\nc\n"):
            writer.write(text)
            assert next(blocks) == text


def test_a_short_first_line_does_not_wait_for_more() -> None:
    assert Utf8Decoder().feed(b"a\n") == b"a\n"
    assert Utf8Decoder().feed(codecs.BOM_UTF8[:2]) == b""


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_commands_read_it(nsroom: Runner, encoding: str) -> None:
    line = encoded('["hi","Ċé"]\r\n', encoding)
    result = await nsroom("emit", "-", "--offline", stdin=line)
    assert (result.code, result.stdout) == (0, '42["hi","Ċé"]\n')
    result = await nsroom("decode", "--plain", stdin=encoded('42["hi","Ċé"]\r\n', encoding))
    assert result.code == 0
    assert "argument 1" in result.stdout
