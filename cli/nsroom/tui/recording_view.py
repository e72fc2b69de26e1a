"""Show a recording in the live view, without a server."""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from nsroom.errors import DataError
from nsroom.output.recording import salvage
from nsroom.record import Direction, Kind, Record
from nsroom.tui import config
from nsroom.tui.app import App, calm_collector
from nsroom.tui.model.model import Model
from nsroom.tui.screen.state import View

_SLICE = 0.02
"""Seconds to read for, before the screen and the keys get their turn."""
_FIRST = 1000
"""Records that are looked at, at most, before there is a screen."""
_PACKETS = frozenset([Kind.EVENT, Kind.ACK, Kind.PING, Kind.PONG])
"""What names no sid where the connection was our own."""
_Found = tuple[int, Record | DataError]


async def show(file: BinaryIO, name: str) -> None:
    """Show what can be read of a recording until the person leaves; what cannot be is said in its place.

    Raises: Stopped.
    """
    calm_collector()
    found = salvage(file)
    first, of_others = _up_to_a_packet(found)
    view = View(Model(relayed=of_others), name, recorded_from=name)
    app = App(view, config.load(config.config_file()), raw=True)
    app.spawn(_read(chain(first, found), max(os.fstat(file.fileno()).st_size, 1), app))
    await app.run()


def _up_to_a_packet(found: Iterator[_Found]) -> tuple[list[_Found], bool]:
    """Give what comes up to the first packet, and whether it names a client, as `proxy` and `tail` do."""
    first: list[_Found] = []
    for size, item in islice(found, _FIRST):
        first.append((size, item))
        if isinstance(item, Record) and item.kind in _PACKETS:
            return first, item.sid is not None
    return first, False


async def _read(found: Iterable[_Found], whole: int, app: App) -> None:
    """Read what was found in so many bytes in slices of time, with the progress on the screen."""
    view = app.view
    done, broken, pause = 0, 0, time.monotonic() + _SLICE
    for size, item in found:
        done += size
        broken += isinstance(item, DataError)
        view.model.add(_unreadable(item, view.model) if isinstance(item, DataError) else item, size)
        if time.monotonic() > pause:
            view.model.trim()
            view.progress = f"reading {min(done / whole, 1):4.0%}"
            app.changed()
            await asyncio.sleep(0)
            pause = time.monotonic() + _SLICE
    view.model.trim()
    view.progress = _summary(view.model, broken)
    _begin(view)
    app.changed()


def _unreadable(error: DataError, model: Model) -> Record:
    """Make a record that says what could not be read here."""
    time = model.records[-1].time if model.records else 0
    return Record(time, 0, Direction.LOCAL, Kind.PROTOCOL_ERROR, reason="unreadable", message=str(error))


def _summary(model: Model, broken: int) -> str:
    clients = f" of {len(model.clients.by_sid):,} clients" if model.clients else ""
    return f"{model.ring.end - broken:,} records{clients}" + (
        f", {broken:,} lines unreadable" if broken else ""
    )


def _begin(view: View) -> None:
    """Stand in the namespace and the room that there is most to see of."""
    spaces = view.model.namespaces.by_name
    if spaces:
        name = max(spaces, key=lambda name: len(spaces[name].events))
        room = next((room for room, known in spaces[name].rooms.items() if known.joined), "")
        view.go(name, room or next(iter(spaces[name].rooms), ""))
