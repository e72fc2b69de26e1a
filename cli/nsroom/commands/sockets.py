"""`nsroom sockets`: list the sockets of a server."""

from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import AnyTargets, ConnectionOptions
from nsroom.cli.declarations import Option
from nsroom.cli.via_options import ViaOptions
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from nsroom.introspection.listing import View
    from nsroom.introspection.ways import Way

_COLUMNS = ("namespace", "sid", "transport", "address", "connected", "server", "rooms")
_EMPTY = "no sockets: no client is connected"


def sockets(
    targets: AnyTargets = None,
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the server.")
    ] = 5.0,
    watch: Annotated[bool, Option("--watch", help="Keep running and print changes.")] = False,
    all: Annotated[
        bool, Option("--all", help="Also list the admin namespace, and each socket's own room.")
    ] = False,
    json: Annotated[bool, Option("--json", help="Print one JSON object per socket.")] = False,
    via: ViaOptions,
) -> None:
    """List the sockets of a server with their rooms.

    The server must be instrumented, with instrument() of @socket.io/admin-ui or of python-socketio, be a
    Node process of yours on this machine (--via attach), or be one of several on a Redis
    (--via redis://HOST); if some of those do not answer, it exits with 5. Lists all namespaces unless -n
    names some. With --watch each line is a socket that changed; a disconnected
    socket has "gone".

    \b
    Examples:
      nsroom sockets --admin-auth admin            asks for the password
      nsroom sockets -n /chat --admin-auth @admin.txt
      nsroom sockets --json | jq -r 'select(.rooms | index("lobby")) | .sid'
      nsroom sockets --watch
      nsroom sockets --via attach
      nsroom sockets --via redis://localhost
    """
    from nsroom.cli.admin_credentials import run_first
    from nsroom.introspection.listing import sockets_view

    target = connection.target(*targets or ())
    view = sockets_view(connection.named(target, *targets or ()), all)
    ways = via.ways(target._replace(reconnect=watch and target.reconnect))
    run_first(lambda way: _list(way, view, timeout, watch, json), ways)


async def _list(way: "Way", view: "View", timeout: float, watch: bool, json: bool) -> None:
    from contextlib import aclosing

    from nsroom.introspection import listing
    from nsroom.output.tables import follow, show, socket_cells

    async with aclosing(listing.follow(way, view, timeout, say, watch)) as source:
        first = await anext(source)
        if watch:
            await follow(first, source, _COLUMNS, socket_cells, json, _EMPTY)
        else:
            show(first, _COLUMNS, socket_cells, json, _EMPTY)
            await anext(source, None)  # raises if sockets are missing
