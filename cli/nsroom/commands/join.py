"""`nsroom join`: ask to join rooms, then watch and talk."""

from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.options import ConnectionOptions, WatchOptions, expand

if TYPE_CHECKING:
    from nsroom.client import Client
    from nsroom.watch import Say


def _presets() -> list[str]:
    from nsroom.joins import PRESETS

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
    connection: ConnectionOptions,
    options: WatchOptions,
) -> None:
    """Ask to join rooms, then watch as `connect` does.

    Typed lines are messages to the first room. Rooms exist only on the server: where it does not
    acknowledge, nobody here can know whether it joined us.

    \b
    Examples:
      nsroom join lobby
      nsroom join lobby ops --as ann -n /chat
      nsroom join lobby --join-preset room    where the server has on("room", ...)
      nsroom join 42 --join-event enter --join-args '{"table":"{room}"}'
      echo "it is green" | nsroom join ci --stdin --where event=message -C 1
    """
    from nsroom.joins import convention
    from nsroom.joins import join as ask_to_join
    from nsroom.signals import run
    from nsroom.watch import watch

    how = convention(join_preset, join_event, join_args, nick)
    target = connection.target()

    async def begin(client: "Client", say: "Say") -> list[str]:
        return await ask_to_join(client, rooms, how, say)

    run(watch(target, options, begin, rooms[0], how))
