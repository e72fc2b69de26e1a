"""Text as other programs save it: UTF-8 with a byte order mark, or UTF-16 as PowerShell's `>` writes it."""

import codecs
from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from nsroom.errors import UsageError

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ALL_MARKS = (*_MARKS, codecs.BOM_UTF8)
_MAX_SCRIPT = 1_000_000
"""Bytes."""


class Utf8Decoder:
    """Turns the bytes of a stream into UTF-8 without a byte order mark; others pass unchanged."""

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._utf16: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes, final: bool = False) -> bytes:
        """Return what is known after more bytes; an empty `data` with `final` ends the stream."""
        if self._head is not None:
            self._head += data
            if not final and any(mark != self._head and mark.startswith(self._head) for mark in _ALL_MARKS):
                return b""  # the rest of a mark may follow
            data, self._head = self._head, None
            if data.startswith(_MARKS):
                self._utf16 = codecs.getincrementaldecoder("utf-16")("replace")
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._utf16 is None:
            return data
        return self._utf16.decode(data, final).encode("utf-8", "surrogatepass")


def read_lines(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """Yield the lines of a file in UTF-8, with their line endings, each cut after `limit` bytes.

    Raises: OSError.
    """
    return _decoded(iter(partial(stream.readline, limit), b""))


def read_blocks(stream: BufferedReader, size: int, limit: int) -> Iterator[bytes]:
    """Yield the lines of a file as `read_lines` does, but in blocks: what has arrived, about `size` bytes.

    Raises: OSError.
    """
    return _decoded(iter(partial(_block, stream, size, limit), b""))


def _block(stream: BufferedReader, size: int, limit: int) -> bytes:
    data = stream.read1(size)
    return data if data.endswith(b"\n") else data + stream.readline(limit)


def _decoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    if first.startswith(_MARKS):
        yield from _utf16_lines(chain([first], pieces))
    else:
        yield from chain(filter(None, [first.removeprefix(codecs.BOM_UTF8)]), pieces)


def _utf16_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines; a piece may end in the middle of a character."""
    decoder, pending = Utf8Decoder(), b""
    for piece in pieces:
        *lines, pending = (pending + decoder.feed(piece)).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if pending := pending + decoder.feed(b"", final=True):
        yield pending


def read_script(file: Path) -> str:
    """Return the text of a script that a person wrote. Raises: UsageError if it is too large or not UTF-8."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_SCRIPT + 1)
        if len(data) > _MAX_SCRIPT:
            raise UsageError(f"{file}: larger than {_MAX_SCRIPT} bytes")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {getattr(error, 'strerror', error)}") from None
