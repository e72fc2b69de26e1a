"""`nsroom join`: ask to join rooms, then watch and send messages."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.declarations import Argument, Option
from nsroom.cli.display_options import WatchOptions
from nsroom.cli.via_options import Via, ViaOptions
from nsroom.errors import ConnectError, NsroomError, RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nsroom.client.client import Client
    from nsroom.introspection.ways import Way
    from nsroom.watch import Say

_TIMEOUT = 5.0
"""Seconds for the admin namespace to answer; python-socketio reports rooms every two."""


def _presets() -> list[str]:
    from nsroom.client.presets import PRESETS

    return [name for name, preset in PRESETS.items() if preset.join]


def join(
    *,
    target: LeadingTarget = "",
    rooms: Annotated[list[str], Argument(metavar="ROOM...", help="The rooms to join.")],
    nick: Annotated[str | None, Option("--as", metavar="NICK", help="Your name in the rooms.")] = None,
    join_event: Annotated[
        str | None,
        Option("--join-event", metavar="NAME", help="The event that asks to join. Default: join."),
    ] = None,
    join_args: Annotated[
        str | None,
        Option(
            "--join-args",
            metavar="JSON",
            help="Arguments of --join-event, with {room} in them; an array is several arguments.",
        ),
    ] = None,
    join_preset: Annotated[
        str | None,
        Option(
            "--join-preset",
            metavar="PRESET",
            autocompletion=_presets,
            help='A known convention: room "x", join "x", join-object {room}, join_room {room}, joinRoom "x",'
            ' subscribe "x".',
        ),
    ] = None,
    write: Annotated[
        bool, Option("--write", help="Let the server join us, if the application does not.")
    ] = False,
    connection: ConnectionOptions,
    options: WatchOptions,
    via: ViaOptions,
) -> None:
    """Ask to join rooms, then watch as `connect` does.

    Typed lines are messages to the first room, in the event that the room was last heard to use, or in
    --message-event. Rooms exist only on the server: if it does not acknowledge,
    the client cannot know whether it has joined. With --write the admin namespace of an instrumented server
    confirms the join, or joins the rooms itself if the application did not.

    \b
    Examples:
      nsroom join lobby
      nsroom join lobby ops --as ann -n /chat
      nsroom join lobby --join-preset room    for a server with on("room", ...)
      nsroom join lobby --write    if that fails, through the admin namespace
      nsroom join 42 --join-event enter --join-args '{"table":"{room}"}'
      echo "it is green" | nsroom join ci --stdin --where event=message -C 1
    """
    from nsroom.cli.run import run
    from nsroom.client.joins import convention
    from nsroom.client.joins import join as ask_to_join
    from nsroom.client.presets import find
    from nsroom.watch import watch

    kind = via.kind(write)
    if kind not in (Via.AUTO, Via.EVENTS) and not write:
        raise UsageError(f"--via {kind} changes the server; add --write to allow it")
    if not (join_preset or join_event or join_args) and find(connection.preset).join:
        join_preset = connection.preset
    how = convention(join_preset, join_event, join_args, nick)
    server = connection.target(target)
    ways = via.ways(server._replace(reconnect=False), write) if write else []

    async def begin(client: "Client", say: "Say") -> list[str]:
        if not ways:
            return await ask_to_join(client, rooms, how, say)
        asked = kind is Via.AUTO and await _ask(lambda: ask_to_join(client, rooms, how, say), say)
        return await _join_from_inside(client, rooms, ways, say, fatal=not asked)

    run(watch(server, options, begin, rooms[0], how))


async def _ask(join: "Callable[[], Awaitable[list[str]]]", say: "Say") -> bool:
    """Ask the application to join; return whether it refused none of the rooms."""
    try:
        return not await join()
    except RefusedError as error:
        say(f"{error}; trying from inside the server")
        return False


async def _join_from_inside(
    client: "Client", rooms: list[str], ways: "list[Way]", say: "Say", fatal: bool
) -> list[str]:
    """Confirm or make the join by the first way there is; report a failure that is not `fatal`."""
    from nsroom.introspection.joining import join

    failed: NsroomError | None = None
    for way in ways:
        try:
            await join(client, rooms, way, _TIMEOUT, say)
        except (ConnectError, RefusedError, WaitError) as error:
            failed = failed.also(error) if failed else error
        else:
            client.on_reconnect.append(partial(join, client, rooms, way, _TIMEOUT, say))
            return []
    if failed and fatal:
        raise failed
    if failed:
        say(str(failed))
    return []
