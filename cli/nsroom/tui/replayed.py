"""Show a recording in the live view, without a server."""

import asyncio
import os
import time
from typing import BinaryIO

from nsroom.errors import DataError
from nsroom.record import Direction, Kind, Record
from nsroom.recording import salvage
from nsroom.tui import config
from nsroom.tui.app import App, calm_collector
from nsroom.tui.model import Model
from nsroom.tui.view import View

_SLICE = 0.02
"""Seconds to read for, before the screen and the keys get their turn."""


async def show(file: BinaryIO, name: str) -> None:
    """Show what can be read of a recording until the person leaves; what cannot be is said in its place.

    Raises: Stopped.
    """
    calm_collector()
    view = View(Model(), name, recorded_from=name)
    app = App(view, config.load(config.config_file()), raw=True)
    app.spawn(_read(file, app))
    await app.run()


async def _read(file: BinaryIO, app: App) -> None:
    """Read it in slices of time, with the progress on the screen."""
    view, whole = app.view, max(os.fstat(file.fileno()).st_size, 1)
    done, broken, pause = 0, 0, time.monotonic() + _SLICE
    for size, found in salvage(file):
        done += size
        broken += isinstance(found, DataError)
        view.model.add(_unreadable(found, view.model) if isinstance(found, DataError) else found, size)
        if time.monotonic() > pause:
            view.model.trim()
            view.progress = f"reading {min(done / whole, 1):4.0%}"
            app.changed()
            await asyncio.sleep(0)
            pause = time.monotonic() + _SLICE
    view.model.trim()
    view.progress = _summary(view.model.ring.end - broken, broken)
    _begin(view)
    app.changed()


def _unreadable(error: DataError, model: Model) -> Record:
    """Make a record that says what could not be read here."""
    time = model.records[-1].time if model.records else 0
    return Record(time, 0, Direction.LOCAL, Kind.PROTOCOL_ERROR, reason="unreadable", message=str(error))


def _summary(count: int, broken: int) -> str:
    return f"{count:,} records" + (f", {broken:,} lines unreadable" if broken else "")


def _begin(view: View) -> None:
    """Stand in the namespace and the room that there is most to see of."""
    spaces = view.model.spaces.by_name
    if spaces:
        name = max(spaces, key=lambda name: len(spaces[name].events))
        room = next((room for room, known in spaces[name].rooms.items() if known.joined), "")
        view.go(name, room or next(iter(spaces[name].rooms), ""))
