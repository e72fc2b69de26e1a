"""Count the records that match a filter while it is typed."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from nsroom.errors import UsageError
from nsroom.filters import Filter, FilterError, parse
from nsroom.tui.screen.state import FILTER, View

_SLICE = 0.01
"""Seconds of counting before the screen and the keys get a turn."""
_BATCH = 16
"""Records between two looks at the clock."""
_WHERE = "/where "


def typed_filter(view: View, answer: str, line: str) -> str:
    """Return the filter that is being typed, as an answer or into the input, or nothing."""
    if view.question is not None:
        return answer if view.question.label == FILTER else ""
    if line.startswith(_WHERE):
        return line.removeprefix(_WHERE)
    return line if view.is_observing and not line.startswith("/") else ""


class MatchCounter:
    """Counts in slices of time, and starts over when the filter changes."""

    def __init__(self, view: View, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """`spawn` runs the counting, and redraws the screen after it."""
        self._view = view
        self._spawn = spawn
        self._text = ""

    def update(self, text: str) -> None:
        """Show how many records match this filter; nothing without a filter."""
        if text == self._text:
            return
        self._text, self._view.matching = text, ""
        if not text.strip():
            return
        try:
            where = parse(text)
        except FilterError as error:
            self._view.matching = f"column {error.column}: {error.reason}"
        except UsageError as error:
            self._view.matching = str(error)
        else:
            self._spawn(self._count(where))

    async def _count(self, where: Filter) -> None:
        ring, found, at = self._view.model.ring, 0, self._view.model.ring.first
        end, slice_end = ring.end, time.monotonic() + _SLICE
        while at < end and self._text == where.text:
            at = max(at, ring.first)  # older records may have been dropped
            batch = range(at, min(at + _BATCH, end))
            found += sum(map(where.test, map(ring.__getitem__, batch)))
            at = batch.stop
            if time.monotonic() > slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + _SLICE
        if self._text == where.text:
            self._view.matching = f"{found:,} of {end - ring.first:,} records match"
