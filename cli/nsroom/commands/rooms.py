"""`nsroom rooms`: list the rooms of namespaces with their members."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.admin_options import AdminOptions, Via
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import NackError, NsroomError, RefusedError, WaitError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from typing import Any

    from nsroom.client.target import Target
    from nsroom.output.tables import Rows

_COLUMNS = ("namespace", "room", "members", "")
_EMPTY = "no rooms: nobody has joined one"
_PATIENCE = 2.0
"""Seconds for each of the two ways, where neither is asked for."""


@expand
def rooms(
    room: Annotated[str | None, typer.Argument(metavar="[ROOM]", help="Only this one.")] = None,
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the answers.")
    ] = 5.0,
    via: Annotated[
        Via,
        typer.Option("--via", help="Ask with the reference server's events, or read the admin namespace."),
    ] = Via.AUTO,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and show what changes.")] = False,
    all: Annotated[
        bool,
        typer.Option("--all", help="Also each socket's own room, and those of the admin namespace."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a room.")] = False,
    admin: AdminOptions,
) -> None:
    """List the rooms of the namespaces with their members.

    Only a server can know its rooms. nsroom asks with the events `rooms` and `who` of the reference server;
    where there are none, it reads the admin namespace of an instrumented server: all namespaces, unless
    some are named. With --watch every line is a room that changed; one that has gone says "gone".

    \b
    Examples:
      nsroom rooms
      nsroom rooms lobby -n /chat
      nsroom rooms --json | jq -r '.room + " " + (.members | length | tostring)'
      nsroom rooms -u :3001 --admin-auth @admin.txt
      nsroom rooms --via admin --watch
    """
    from nsroom.introspection.listing import follow_admin, follow_events, rooms_view

    target = replace(connection.target(), reconnect=watch)
    secured = admin.target(target)
    view = rooms_view(connection.named(target), room, all)
    fault = None
    if via is not Via.ADMIN:
        word = "" if via is Via.EVENTS else "as the server's `rooms` event tells"
        timeout = timeout if via is Via.EVENTS else min(timeout, _PATIENCE)
        fault = _try_events(_show(follow_events(target, room, timeout), watch, json, word))
        if fault is None:
            return
        if via is Via.EVENTS:
            raise fault
    word = f"as {secured.namespaces[0]} tells, for the server is instrumented" if fault else ""
    _read_admin(
        lambda proven: _show(follow_admin(proven, view, timeout, say), watch, json, word), secured, fault
    )


def _try_events(listing: "Coroutine[Any, Any, None]") -> NsroomError | None:
    """List by the application's events; give what speaks against it."""
    from nsroom.cli.run import run

    try:
        run(listing)
    except (NackError, RefusedError, WaitError) as error:
        return error
    return None


def _read_admin(
    listing: "Callable[[Target], Coroutine[Any, Any, None]]", target: "Target", fault: NsroomError | None
) -> None:
    """List by the admin namespace. Raises: what spoke against the events too, where there is none."""
    from nsroom.cli.admin_credentials import run_asking
    from nsroom.errors import CredentialsError

    try:
        run_asking(listing, target)
    except CredentialsError:
        raise
    except (RefusedError, WaitError) as error:
        if fault is None:
            raise
        raise type(fault)(f"{fault}; and {error}") from None


async def _show(source: "AsyncGenerator[Rows, None]", watch: bool, json: bool, word: str) -> None:
    from contextlib import aclosing

    from nsroom.output.tables import follow, room_cells, show

    async with aclosing(source):
        first = await anext(source)
        if word:
            say(word)
        if watch:
            await follow(first, source, _COLUMNS, room_cells, json, _EMPTY)
        else:
            show(first, _COLUMNS, room_cells, json, _EMPTY)
