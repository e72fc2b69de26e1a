"""`nsroom kick`: disconnect sockets of an instrumented server."""

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from nsroom.cli.command import Command as BaseCommand
from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.via_options import ViaOptions
from nsroom.errors import ExitCode, UsageError, WaitError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from nsroom.introspection.inventory import Key
    from nsroom.introspection.observer import Observer
    from nsroom.introspection.ways import Way
    from nsroom.output.room_names import Room


_DASHED_SID = re.compile(r"-[A-Za-z0-9_-]{19}")


class Command(BaseCommand):
    """Accepts a sid that starts with a dash, as one in 64 does."""

    def is_argument(self, word: str) -> bool:
        """Return whether a word that starts with a dash is a sid."""
        return _DASHED_SID.fullmatch(word) is not None


class Selection(NamedTuple):
    """The sockets to disconnect."""

    namespaces: list[str]
    known: "list[Key]"
    """Empty if the server does not list its sockets."""
    filter: "Room"
    """The sid or room, as the server knows it."""


def kick(
    *,
    target: LeadingTarget = "",
    sid: Annotated[str | None, typer.Argument(metavar="[SID]", help="The socket to disconnect.")] = None,
    room: Annotated[
        str | None,
        typer.Option("--room", metavar="ROOM", help="Disconnect all members of this room instead."),
    ] = None,
    connection: ConnectionOptions,
    write: Annotated[
        bool, typer.Option("--write", help="Allow the change; without it nothing is disconnected.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the disconnections."),
    ] = 5.0,
    via: ViaOptions,
) -> None:
    """Disconnect a socket, or every member of a room.

    The server must be instrumented, be a Node process of yours on this machine (--via attach), or be one of
    several on a Redis. On a terminal nsroom asks first. It
    exits when the server reports the disconnections; a server in production mode reports none, and needs the
    namespace with -n.

    \b
    Examples:
      nsroom kick 4xT7bRk0nbZ1mQYzAAAB --write
      nsroom kick --room lobby -n /chat --write --yes
      nsroom kick --room lobby --write --via attach
      nsroom kick --room lobby -n /chat --write --via redis://localhost
    """
    from nsroom.cli.admin_credentials import can_ask, run_first
    from nsroom.cli.run import run

    if (sid is None) == (room is None):
        raise UsageError("name the SID of a socket, or a room with --room")
    if not write:
        raise UsageError("kick changes the server; add --write to allow it")
    server = connection.target(target)
    ways = via.ways(server._replace(reconnect=False))
    named = connection.named(server, target)
    wanted = sid or room or ""
    selection, proven = run_first(lambda way: _find(way, wanted, room is not None, named, timeout), ways)
    if not yes and can_ask():
        _confirm(selection, wanted)
    run(_kick(proven, selection, wanted, timeout))


async def _find(
    way: "Way", wanted: str, is_room: bool, named: tuple[str, ...], timeout: float
) -> "tuple[Selection, Way]":
    """Return the sockets to disconnect, and the way, with the credentials that found them."""
    from nsroom.introspection.inventory import Feature

    async with way.observe(timeout=timeout, say=say) as observer:
        observer.require(Feature.DISCONNECT)
        if not observer.state.reports_sockets:
            return _blind(named, wanted, observer.state.blind), way
        await observer.wait_for_sockets()
        room = observer.state.find_room(wanted, named)
        found = [
            socket.key
            for socket in observer.state.select(named)
            if (room in socket.rooms if is_room else socket.sid == wanted)
        ]
        if not found:
            observer.require_complete()
    if not found:
        what = f"no members in the room {wanted}" if is_room else f"no such socket: {wanted}"
        where = f" in {', '.join(named)}" if named else ""
        raise UsageError(f"{what}{where}; list them with `nsroom sockets`")
    namespaces = sorted({namespace for namespace, _ in found})
    return Selection(namespaces, found, room if is_room else wanted), way


def _blind(named: tuple[str, ...], wanted: str, when: str) -> "Selection":
    if not named:
        raise UsageError(f"{when} the server does not list its sockets: name the namespace with -n")
    return Selection(list(named), [], wanted)


def _confirm(selection: "Selection", wanted: str) -> None:
    from nsroom.output.terminal import safe

    number = len(selection.known)
    who = f"{number} socket{'' if number == 1 else 's'}" if number else "all its sockets"
    question = f"Disconnect {wanted} ({who}) from {', '.join(selection.namespaces)}?"
    if not typer.confirm(safe(question), err=True):
        say("nothing was changed")
        raise typer.Exit(ExitCode.NO)


async def _kick(way: "Way", selection: "Selection", wanted: str, timeout: float) -> None:
    async with way.observe(timeout=timeout, say=say) as observer:
        for namespace in selection.namespaces:
            await observer.disconnect(namespace, selection.filter)
        if not selection.known:
            say(f"asked to disconnect {wanted}; {observer.state.blind} the server does not report the result")
            return
        await _wait(observer, selection, timeout)
    for namespace, sid in selection.known:
        say(f"disconnected {sid} from {namespace}")


async def _wait(observer: "Observer[Any]", selection: "Selection", timeout: float) -> None:
    def left() -> "list[Key]":
        return [key for key in selection.known if not observer.state.is_disconnected(key)]

    if not await observer.read_until(lambda: not left(), timeout):
        raise WaitError(f"{len(left())} of {len(selection.known)} still connected after {timeout:g} s")
