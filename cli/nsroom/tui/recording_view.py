"""The live view of a recording."""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from nsroom.capture.recorded import salvage
from nsroom.cli import configuration
from nsroom.cli.relay_options import RelayOptions
from nsroom.errors import DataError
from nsroom.record import Direction, Kind, Record
from nsroom.tui import config
from nsroom.tui.app import App, tune_garbage_collector
from nsroom.tui.model.model import Model
from nsroom.tui.model.playback import Playback
from nsroom.tui.model.timeline import Timeline
from nsroom.tui.screen.state import View

_SLICE = 0.02
"""Seconds of reading before the screen and the keys get a turn."""
_MAX_PEEKED = 1000
"""Records read before the screen opens."""
_PACKETS = frozenset([Kind.EVENT, Kind.ACK, Kind.PING, Kind.PONG])
"""Kinds that have a sid only in recordings of other clients' connections."""
_Item = tuple[int, Record | DataError]
"""A record, or why a line is unreadable, with the size of the line."""


async def show(file: BinaryIO, name: str, options: RelayOptions, speed: float | None = None) -> None:
    """Show a recording until the user leaves; play it from the start if a speed is given.

    Unreadable lines show as errors. Raises: Stopped.
    """
    tune_garbage_collector()
    notes: list[str] = []
    items = salvage(file, notes.append)
    first, relayed = _peek(items)
    view = View(Model(relayed=relayed), name, recording_name=name, times=options.times)
    app = App(view, config.settings(configuration.load(), options.theme), raw=True)
    all_items = chain(first, items, ((0, DataError(note)) for note in notes))
    app.spawn(_show(all_items, max(os.fstat(file.fileno()).st_size, 1), app, speed))
    await app.run()


def _peek(items: Iterator[_Item]) -> tuple[list[_Item], bool]:
    """Read up to the first packet; return the items, and whether it has a sid, as from `proxy` and `tail`."""
    first: list[_Item] = []
    for size, item in islice(items, _MAX_PEEKED):
        first.append((size, item))
        if isinstance(item, Record) and item.kind in _PACKETS:
            return first, item.sid is not None
    return first, False


async def _show(items: Iterable[_Item], total: int, app: App, speed: float | None) -> None:
    """Read the recording of `total` bytes; then it can be played."""
    view = app.view
    timeline = Timeline(view.model)
    await _read(items, total, app, timeline)
    view.timeline, view.playback = timeline, Playback(view.model)
    if speed is not None:
        view.playback.start(time.time(), speed)
    app.redraw()


async def _read(items: Iterable[_Item], total: int, app: App, timeline: Timeline) -> None:
    """Read the recording in slices of time, and show the progress."""
    view = app.view
    done, broken, slice_end = 0, 0, time.monotonic() + _SLICE
    for size, item in items:
        done += size
        broken += isinstance(item, DataError)
        view.model.add(_unreadable(item, view.model) if isinstance(item, DataError) else item)
        timeline.keep()
        if time.monotonic() > slice_end:
            timeline.drop(view.model.trim())
            view.progress = f"reading {min(done / total, 1):4.0%}"
            app.redraw()
            await asyncio.sleep(0)
            slice_end = time.monotonic() + _SLICE
    timeline.drop(view.model.trim())
    view.progress = _summary(view.model, broken)
    _go_to_busiest(view)


def _unreadable(error: DataError, model: Model) -> Record:
    """Return a record that says why a line is unreadable."""
    time = model.records[-1].time if model.records else 0
    return Record(time, 0, Direction.LOCAL, Kind.PROTOCOL_ERROR, reason="unreadable", message=str(error))


def _summary(model: Model, broken: int) -> str:
    clients = f" of {len(model.clients.by_sid):,} clients" if model.clients else ""
    return f"{model.ring.end - broken:,} records{clients}" + (
        f", {broken:,} lines unreadable" if broken else ""
    )


def _go_to_busiest(view: View) -> None:
    """Go to the namespace with the most kinds of events, and to a room that was joined."""
    namespaces = view.model.namespaces.by_name
    if namespaces:
        name = max(namespaces, key=lambda name: len(namespaces[name].events))
        room = next((room for room, known in namespaces[name].rooms.items() if known.joined), "")
        view.go_to(name, room or next(iter(namespaces[name].rooms), ""))
