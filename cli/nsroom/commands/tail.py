"""`nsroom tail`: show every event of every socket of an instrumented server."""

import sys
from typing import TYPE_CHECKING

from nsroom.cli.admin_options import AdminOptions
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.display_options import ShowOptions
from nsroom.cli.option_groups import expand
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsroom.client.target import Target
    from nsroom.output.sinks import Keep, Route
    from nsroom.record import Record

_SID_CELLS = 20
"""What the ids of both implementations take."""


@expand
def tail(*, connection: ConnectionOptions, options: ShowOptions, admin: AdminOptions) -> None:
    """Show all events of an instrumented server's sockets.

    Each is a record with the socket's sid. The direction is the client's, as everywhere: "out" is what a
    client emitted, "in" what the server sent to it; so a recording can be replayed. --all adds who connects
    and disconnects, and who joins and leaves which room ("local": the server alone saw it). Events are shown
    of all namespaces, unless some are named.

    python-socketio (5.18) cannot tell an admin of binary data: while anyone watches, the application does not
    get the events that carry it.

    \b
    Examples:
      nsroom tail --admin-auth admin
      nsroom tail -n /chat --where 'dir=out & event=message'
      nsroom tail --where 'sid=4xT7...' --all --plain
      nsroom tail --save traffic.ndjson -W 60
    """
    from nsroom.cli.admin_credentials import run_asking

    target = connection.target()
    secured = admin.target(target)
    keep = _keep(options, connection.named(target), secured.namespaces[0])
    run_asking(lambda proven: _tail(proven, options, keep), secured)


def _keep(options: ShowOptions, namespaces: tuple[str, ...], admin: str) -> "Keep":
    """Say what to show: events, unless `--all` or a `--where` with kind or dir asks for more."""
    from nsroom.filters import parse

    where = parse(options.where) if options.where else None
    everything = options.all or (where is not None and where.fields & {"kind", "direction"})

    def keep(record: "Record") -> bool:
        if namespaces and record.namespace is not None:
            shown = record.namespace in namespaces
        else:
            shown = options.all or record.namespace != admin
        is_event = record.kind == "event" and record.direction != "local"
        return shown and bool(everything or is_event) and (where is None or where(record))

    return keep


async def _tail(target: "Target", options: ShowOptions, keep: "Keep") -> None:
    from contextlib import AsyncExitStack

    from nsroom.output.writer import Output
    from nsroom.watch import beside, reader_closed, routes_to, within

    output = Output(sys.stdout.fileno())
    async with AsyncExitStack() as stack:
        routes = routes_to(output, options, keep, stack, _SID_CELLS)
        await within(options, beside(_pump(target, routes, options.count), reader_closed(output)))


async def _pump(target: "Target", routes: "Sequence[Route]", count: int | None) -> None:
    from nsroom.introspection.admin.client import Admin
    from nsroom.output.sinks import pump

    async with Admin(target, say=say) as admin:
        await admin.require_open()
        await pump(admin.batches(), routes, count)
