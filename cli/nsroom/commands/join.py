"""`nsroom join`: ask to join rooms, then watch and talk."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.admin_options import AdminOptions, Via
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.display_options import WatchOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import ConnectError, RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nsroom.client.client import Client
    from nsroom.client.target import Target
    from nsroom.watch import Say

_TIMEOUT = 5.0
"""Seconds for the admin namespace to answer; python-socketio tells of rooms every two."""


def _presets() -> list[str]:
    from nsroom.client.joins import PRESETS

    return list(PRESETS)


@expand
def join(
    rooms: Annotated[list[str], typer.Argument(metavar="ROOM...", help="The rooms to ask for.")],
    *,
    nick: Annotated[str | None, typer.Option("--as", metavar="NICK", help="The name to be known by.")] = None,
    join_event: Annotated[
        str | None, typer.Option("--join-event", metavar="NAME", help="The event that asks. Default: join.")
    ] = None,
    join_args: Annotated[
        str | None,
        typer.Option(
            "--join-args", metavar="JSON", help="Its arguments, with {room} in them; an array is several."
        ),
    ] = None,
    join_preset: Annotated[
        str | None,
        typer.Option(
            "--join-preset",
            metavar="PRESET",
            autocompletion=_presets,
            help='A known convention: room "x", join "x", join-object {room}, join_room {room}, joinRoom "x",'
            ' subscribe "x".',
        ),
    ] = None,
    via: Annotated[
        Via,
        typer.Option(
            "--via",
            help="events: ask the application; admin: the server joins us; auto: with --write both.",
        ),
    ] = Via.AUTO,
    write: Annotated[
        bool, typer.Option("--write", help="Allow the admin namespace to act on the server.")
    ] = False,
    connection: ConnectionOptions,
    options: WatchOptions,
    admin: AdminOptions,
) -> None:
    """Ask to join rooms, then watch as `connect` does.

    Typed lines are messages to the first room. Rooms exist only on the server: where it does not
    acknowledge, nobody here can know whether it joined us. The admin namespace of an instrumented server
    knows: with --write it confirms the join, or does it where the application did not.

    \b
    Examples:
      nsroom join lobby
      nsroom join lobby ops --as ann -n /chat
      nsroom join lobby --join-preset room    where the server has on("room", ...)
      nsroom join lobby --write    and where that fails, by the admin namespace
      nsroom join 42 --join-event enter --join-args '{"table":"{room}"}'
      echo "it is green" | nsroom join ci --stdin --where event=message -C 1
    """
    from nsroom.cli.run import run
    from nsroom.client.joins import convention
    from nsroom.client.joins import join as ask_to_join
    from nsroom.watch import watch

    if via is Via.ADMIN and not write:
        raise UsageError("--via admin changes what is on the server: add --write to do it")
    how = convention(join_preset, join_event, join_args, nick)
    target = connection.target()
    secured = replace(admin.target(target), reconnect=False) if write else None

    async def begin(client: "Client", say: "Say") -> list[str]:
        if secured is None or via is Via.EVENTS:
            return await ask_to_join(client, rooms, how, say)
        asked = via is Via.AUTO and await _ask(lambda: ask_to_join(client, rooms, how, say), say)
        return await _join_by_admin(client, rooms, secured, say, fatal=not asked)

    run(watch(target, options, begin, rooms[0], how))


async def _ask(join: "Callable[[], Awaitable[list[str]]]", say: "Say") -> bool:
    """Ask the application; say whether it refused none of the rooms."""
    try:
        return not await join()
    except RefusedError as error:
        say(f"{error}; trying the admin namespace")
        return False


async def _join_by_admin(
    client: "Client", rooms: list[str], target: "Target", say: "Say", fatal: bool
) -> list[str]:
    """Confirm or do it; where the application may have done it, it is no fault if that cannot be known."""
    from nsroom.introspection.joining import join

    try:
        await join(client, rooms, target, _TIMEOUT, say)
    except (ConnectError, RefusedError, WaitError) as error:
        if fatal:
            raise
        say(str(error))
    else:
        client.on_reconnect.append(lambda: join(client, rooms, target, _TIMEOUT, say))
    return []
