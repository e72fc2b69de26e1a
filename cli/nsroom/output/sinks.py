"""Sinks of records, and the pump that feeds them."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from nsroom.output.ndjson import encode_all
from nsroom.output.writer import Output
from nsroom.record import Record


class Sink(Protocol):
    """Accepts batches of records, in order; a slow sink makes its source wait."""

    async def write(self, records: Sequence[Record]) -> None:
        """Write all records. Raises: OutputError."""

    async def close(self) -> None:
        """Finish writing. Raises: OutputError."""


Keep = Callable[[Record], bool]
Route = tuple[Keep | None, Sink]
"""A filter and the sink it feeds; without a filter the sink gets every record."""


async def pump(
    source: AsyncIterator[Sequence[Record]], routes: Sequence[Route], count: int | None = None
) -> int:
    """Write each batch to every sink through its filter; return how many records the first filter kept.

    Stops after `count` of these, and no sink gets a later record. The caller closes source and sinks.
    Raises: OutputError.
    """
    kept = 0
    async for batch in source:
        parts = _parts(batch, routes)
        if count is not None and kept + len(parts[0]) >= count:
            await _deliver(routes, _parts(_until(batch, routes[0][0], count - kept), routes))
            return count
        await _deliver(routes, parts)
        kept += len(parts[0])
    return kept


def _parts(batch: Sequence[Record], routes: Sequence[Route]) -> list[Sequence[Record]]:
    return [batch if keep is None else list(filter(keep, batch)) for keep, _ in routes]


def _until(batch: Sequence[Record], keep: Keep | None, count: int) -> Sequence[Record]:
    """Return the batch up to the `count`th record that the filter keeps."""
    kept = [index for index, record in enumerate(batch) if keep is None or keep(record)]
    return batch[: kept[count - 1] + 1]


async def _deliver(routes: Sequence[Route], parts: Sequence[Sequence[Record]]) -> None:
    # The first sink comes last: if its reader has closed it, the recording still has everything shown so far.
    for (_, sink), part in reversed(list(zip(routes, parts, strict=True))):
        if part:
            await sink.write(part)


class NdjsonSink:
    """Writes one JSON object per line."""

    def __init__(self, output: Output) -> None:
        self._output = output

    async def write(self, records: Sequence[Record]) -> None:
        """Write one line per record. Raises: OutputError."""
        await self._output.write(encode_all(records))

    async def close(self) -> None:
        """Do nothing: the caller opened the output, and closes it."""
