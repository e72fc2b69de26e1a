"""Read a recording: NDJSON of records, as `--save` and `--json` write them."""

from collections.abc import Iterator
from typing import BinaryIO

from nsroom.errors import DataError, DecodeError
from nsroom.protocol import strict_json
from nsroom.record import Record, from_json

MAX_LINE = 200_000_000
"""Bytes: the largest frame, in base64."""


def read(file: BinaryIO) -> Iterator[tuple[int, Record]]:
    """Yield the records with the numbers of their lines; empty lines are passed over.

    Raises: DataError at the first line that is no record.
    """
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if line.strip():
            yield number, _record(line, number)


def salvage(file: BinaryIO) -> Iterator[tuple[int, Record | DataError]]:
    """Yield what can be read with the sizes of the lines, and in its place what cannot be, and why."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if line.strip():
            try:
                yield len(line), _record(line, number)
            except DataError as error:
                yield len(line), error


def _record(line: bytes, number: int) -> Record:
    try:
        return from_json(strict_json.load(line.decode().strip()))
    except DecodeError as error:
        torn = "" if line.endswith(b"\n") else " (the recording is torn: its last line has no end)"
        raise DataError(f"line {number}: {error}{torn}") from None
    except ValueError as error:
        raise DataError(f"line {number}: {error}") from None
