"""`nsroom tail`: show the events of all sockets of an instrumented server."""

import sys
from typing import TYPE_CHECKING

from nsroom.cli.connection_options import AnyTargets, ConnectionOptions
from nsroom.cli.display_options import SID_CELLS, ShowOptions, TailOptions
from nsroom.cli.via_options import ViaOptions
from nsroom.output.stdio import say

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from nsroom.introspection.ways import Way
    from nsroom.output.sinks import Keep, Route
    from nsroom.record import Record


def tail(
    targets: AnyTargets = None,
    *,
    connection: ConnectionOptions,
    options: TailOptions,
    via: ViaOptions,
) -> None:
    """Show the events of all sockets of a server, seen from inside.

    On a terminal this opens the live view with the clients and their rooms, including connections, joins
    and leaves; --plain prints lines instead. Each record has the sid of its socket. Directions are the
    client's, as everywhere: "out" is an event that a client emitted, "in" one that the server sent to it, so
    a recording can be replayed. In a pipe, --all adds connections, disconnections, joins and leaves
    ("local": seen only by the server). Shows all namespaces unless -n names some.

    With --via attach it shows every event and acknowledgement of a Node process of yours on this machine.
    With --via redis://HOST it shows the events to rooms and namespaces that the servers of a cluster send to
    each other, with the rooms in "data".

    python-socketio (5.18) cannot report binary data to an admin: while one is connected, the application
    does not receive events with binary data.

    \b
    Examples:
      nsroom tail --admin-auth admin
      nsroom tail -n /chat --where 'dir=out & event=message'
      nsroom tail --where 'sid=4xT7...' --all --plain
      nsroom tail --save traffic.ndjson -W 60
      nsroom tail --via attach
      nsroom tail --via redis://localhost --where 'data.rooms~lobby'
    """
    from nsroom.cli.admin_credentials import run_first

    target = connection.target(*targets or ())
    namespaces = connection.named(target, *targets or ())
    server = via.place(target)
    keep = _keep(options, namespaces, via.admin_namespace)
    run_first(lambda way: _tail(way, server, options, namespaces, keep), via.ways(target))


def _keep(options: ShowOptions, namespaces: tuple[str, ...], admin: str) -> "Keep":
    """Return the filter: events, unless --all or a --where with kind or dir asks for more."""
    from nsroom.filters import parse
    from nsroom.record import Direction, Kind

    # In Python 3.11 looking up an enum member takes 0.2 µs.
    an_event, local = Kind.EVENT, Direction.LOCAL
    where = parse(options.where) if options.where else None
    everything = options.all or (where is not None and where.fields & {"kind", "direction"})

    def keep(record: "Record") -> bool:
        if namespaces and record.namespace is not None:
            shown = record.namespace in namespaces
        else:
            shown = options.all or record.namespace != admin
        is_event = record.kind is an_event and record.direction is not local
        return shown and bool(everything or is_event) and (where is None or where(record))

    return keep


async def _tail(
    way: "Way", server: str, options: TailOptions, namespaces: tuple[str, ...], keep: "Keep"
) -> None:
    import asyncio

    from nsroom.watch import is_live, within

    if is_live(options):
        from nsroom.tui.tail_view import tail as show

        ready = asyncio.Event()
        await within(options, show(way, server, options, namespaces, keep, ready), ready)
    else:
        await _tail_lines(way, options, keep)


async def _tail_lines(way: "Way", options: TailOptions, keep: "Keep") -> None:
    import asyncio
    from contextlib import AsyncExitStack

    from nsroom.output.writer import Output
    from nsroom.watch import reader_closed, routes_to, run_until_done, within

    output = Output(sys.stdout.fileno())
    async with AsyncExitStack() as stack:
        routes = routes_to(output, options, keep, stack, SID_CELLS, notify=options.notify)
        ready = asyncio.Event()
        pumping = _pump(way, routes, options.count, ready)
        await within(options, run_until_done(pumping, reader_closed(output)), ready)


async def _pump(way: "Way", routes: "Sequence[Route]", count: int | None, ready: "asyncio.Event") -> None:
    from nsroom.output.sinks import pump

    async with way.observe(say=say) as observer:
        await observer.require_sockets()
        if observer.unseen:
            say(observer.unseen)
        ready.set()
        await pump(observer.batches(), routes, count)
