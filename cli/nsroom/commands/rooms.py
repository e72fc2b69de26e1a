"""`nsroom rooms`: list rooms with their members."""

from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.declarations import Argument, Option
from nsroom.cli.via_options import Via, ViaOptions
from nsroom.errors import NackError, NsroomError, RefusedError, WaitError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine
    from typing import Any

    from nsroom.output.tables import Rows

_COLUMNS = ("namespace", "room", "members", "")
_EMPTY = "no rooms: no client has joined one"
_AUTO_TIMEOUT = 2.0
"""Seconds to wait for the `rooms` event before trying the admin namespace."""


def rooms(
    *,
    target: LeadingTarget = "",
    room: Annotated[str | None, Argument(metavar="[ROOM]", help="List only this room.")] = None,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the answers.")
    ] = 5.0,
    watch: Annotated[bool, Option("--watch", help="Keep running and print changes.")] = False,
    all: Annotated[
        bool,
        Option("--all", help="Also list each socket's own room, and the rooms of the admin namespace."),
    ] = False,
    json: Annotated[bool, Option("--json", help="Print one JSON object per room.")] = False,
    via: ViaOptions,
) -> None:
    """List the rooms of the namespaces with their members.

    Only the server knows its rooms. nsroom asks with the events `rooms` and `who` of the reference server,
    or else reads the admin namespace of an instrumented server: of all namespaces, unless -n names some.
    With --via attach it looks into a Node process of yours on this machine, with --via redis://HOST it asks
    all servers of a cluster; if some do not answer, it exits with 5.
    With --watch each line is a room that changed; a deleted room has "gone".

    \b
    Examples:
      nsroom rooms
      nsroom rooms lobby -n /chat
      nsroom rooms --json | jq -r '.room + " " + (.members | length | tostring)'
      nsroom rooms -u :3001 --admin-auth @admin.txt
      nsroom rooms --via admin --watch
      nsroom rooms -u :3001 --via attach
      nsroom rooms --via redis://localhost
    """
    from nsroom.cli.admin_credentials import run_first
    from nsroom.introspection.listing import follow, follow_events, rooms_view

    server = connection.target(target)._replace(reconnect=watch)
    kind, ways = via.kind(), via.ways(server)
    view = rooms_view(connection.named(server, target), room, all)
    error = None
    if kind in (Via.AUTO, Via.EVENTS):
        origin = "" if kind is Via.EVENTS else "(from the server's `rooms` event)"
        wait = timeout if kind is Via.EVENTS else min(timeout, _AUTO_TIMEOUT)
        error = _try_events(_show(follow_events(server, room, wait, watch), watch, json, origin))
        if error is None:
            return
    run_first(
        lambda way: _show(
            follow(way, view, timeout, say, watch), watch, json, f"(from {way.name})" * bool(error)
        ),
        ways,
        error,
    )


def _try_events(listing: "Coroutine[Any, Any, None]") -> NsroomError | None:
    """List with the application's events; return the error if the server does not support that."""
    from nsroom.cli.run import run

    try:
        run(listing)
    except (NackError, RefusedError, WaitError) as error:
        return error
    return None


async def _show(source: "AsyncGenerator[Rows, None]", watch: bool, json: bool, origin: str) -> None:
    from contextlib import aclosing

    from nsroom.output.tables import follow, room_cells, show

    async with aclosing(source):
        first = await anext(source)
        if origin:
            say(origin)
        if watch:
            await follow(first, source, _COLUMNS, room_cells, json, _EMPTY)
        else:
            show(first, _COLUMNS, room_cells, json, _EMPTY)
            await anext(source, None)  # raises if rooms are missing
