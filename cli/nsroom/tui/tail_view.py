"""The live view of all sockets of an instrumented server."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from typing import Any

from nsroom.channel import now
from nsroom.cli import configuration
from nsroom.cli.display_options import TailOptions
from nsroom.filters import parse
from nsroom.introspection.inventory import Inventory
from nsroom.introspection.observer import Observer
from nsroom.introspection.ways import Way
from nsroom.output.notifications import notify_filter
from nsroom.output.room_names import room_text
from nsroom.output.sinks import Keep
from nsroom.record import Record
from nsroom.tui import config
from nsroom.tui.app import App, tune_garbage_collector
from nsroom.tui.live import feed
from nsroom.tui.model.model import Model
from nsroom.tui.model.namespaces import State as NamespaceState
from nsroom.tui.model.observed_rooms import replace_members
from nsroom.tui.screen.notice import Notice
from nsroom.tui.screen.state import View

_SYNC_INTERVAL = 1_000_000
"""Microseconds between two looks at the list of sockets."""


async def tail(
    way: Way,
    server: str,
    options: TailOptions,
    namespaces: Collection[str],
    keep: Keep,
    ready: asyncio.Event,
) -> None:
    """Show the events of all sockets until the user leaves or --count is reached.

    `namespaces` are those to show, or all. `ready` is set before the screen opens. Raises: as the observer;
    RefusedError if the sockets are not reported, OutputError, Stopped.
    """
    notice = Notice()
    async with way.observe(say=notice.show) as observer:
        await observer.require_sockets()
        ready.set()
        where = f"({options.where})" if options.where else ""
        if namespaces:
            only = " | ".join(f"ns={json.dumps(name)}" for name in namespaces)
            where = f"{where} & ({only})" if where else only
        await show(observer, server, options, where, keep, notice)


async def show(
    observer: Observer[Any],
    server: str,
    options: TailOptions,
    where: str,
    keep: Keep | None,
    notice: Notice,
) -> None:
    """Show what an observer reports, at first only what matches `where`. Raises: as `tail`."""
    tune_garbage_collector()
    notice.clear()
    if observer.unseen:
        notice.show(observer.unseen)
    notify = notify_filter(options.notify)
    view = View(
        Model(parse(where) if where else None, relayed=True),
        server,
        via=observer.state.name,
        notice=notice,
        times=options.times,
    )
    app = App(view, config.settings(configuration.load(), options.theme))
    if options.save:
        await app.save(options.save, options.force)
    app.spawn(feed(app, _records(observer, view.model, options.all), options.count, keep, notify))
    await app.run()


async def _records(observer: Observer[Any], model: Model, all: bool) -> AsyncIterator[list[Record]]:
    """Yield what the sockets do; without `all` not those through which we see them. Raises: LostError."""
    synced_at, was_listed = 0, False
    async for batch in observer.batches():
        time, state = now(), observer.state
        if state.listed and (not was_listed or time - synced_at >= _SYNC_INTERVAL):
            _sync(model, state, all, time)
            synced_at = time
        was_listed = state.listed
        yield [record for record in batch if all or record.namespace != state.own_namespace]


def _sync(model: Model, state: Inventory, all: bool, time: int) -> None:
    """Take over the sockets and their rooms as the server lists them."""
    assert model.clients is not None
    sockets = state.select(all=all)
    model.clients.sync((each.sid for each in sockets), time)
    for name in {each.namespace for each in sockets}:
        model.namespaces.add(name).state = NamespaceState.CONNECTED
    rooms = state.rooms(all=all).items()
    members = {(name, room_text(room)): [each.sid for each in inside] for (name, room), inside in rooms}
    replace_members(model.namespaces, members)
