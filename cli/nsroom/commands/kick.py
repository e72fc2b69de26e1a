"""`nsroom kick`: disconnect sockets of an instrumented server."""

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand

from nsroom.cli.admin_options import AdminOptions
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import ExitCode, UsageError, WaitError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from nsroom.client.target import Target
    from nsroom.introspection.admin.client import Admin
    from nsroom.introspection.inventory import Key


_DASHED_SID = re.compile(r"-[A-Za-z0-9_-]{19}")


class Command(TyperCommand):
    """Take a word that begins with a dash and is as long as a sid for a sid: one in 64 begins so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words with such sids moved behind a `--`."""
        valued = [each for each in self.params if not getattr(each, "is_flag", True)]
        takes_value = {name for option in valued for name in option.opts}
        before, sids = list[str](), list[str]()
        words = iter(args)
        for word in words:
            (sids if _DASHED_SID.fullmatch(word) else before).append(word)
            if word in takes_value:
                before.extend(islice(words, 1))
            elif word == "--":
                before.extend(words)
        return super().parse_args(ctx, [*before, "--", *sids] if sids else before)


class Victims(NamedTuple):
    """Whom to disconnect."""

    namespaces: list[str]
    known: "list[Key]"
    """Empty where the server does not tell."""


@expand
def kick(
    sid: Annotated[str | None, typer.Argument(metavar="[SID]", help="The socket to disconnect.")] = None,
    *,
    room: Annotated[
        str | None,
        typer.Option("--room", metavar="ROOM", help="Disconnect all members of this room instead."),
    ] = None,
    connection: ConnectionOptions,
    write: Annotated[
        bool, typer.Option("--write", help="Really do it: nothing is changed on a server without this.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for them to go."),
    ] = 5.0,
    admin: AdminOptions,
) -> None:
    """Disconnect a socket, or every member of a room.

    The server must be instrumented. On a terminal nsroom asks before. It ends when the server says that
    they are gone; in production mode it says nothing, and the namespace has to be named.

    \b
    Examples:
      nsroom kick 4xT7bRk0nbZ1mQYzAAAB --write
      nsroom kick --room lobby -n /chat --write --yes
    """
    from nsroom.cli.admin_credentials import can_ask, run_asking
    from nsroom.cli.run import run

    if (sid is None) == (room is None):
        raise UsageError("name the SID of a socket, or a room with --room")
    if not write:
        raise UsageError("kick changes what is on the server: add --write to do it")
    target = connection.target()
    secured = replace(admin.target(target), reconnect=False)
    named = connection.named(target)
    wanted = sid or room or ""
    victims, proven = run_asking(lambda proven: _find(proven, wanted, room is not None, named), secured)
    if not yes and can_ask():
        _confirm(victims, wanted)
    run(_kick(proven, victims, wanted, timeout))


async def _find(
    target: "Target", wanted: str, is_room: bool, named: tuple[str, ...]
) -> "tuple[Victims, Target]":
    """Give the sockets to disconnect, and with what credentials they were found."""
    from nsroom.introspection.admin.client import Admin
    from nsroom.introspection.inventory import Feature

    async with Admin(target, say=say) as admin:
        admin.require(Feature.DISCONNECT)
        if not admin.state.is_open:
            return _blind(named), target
        await admin.listing()
        found = [
            socket.key
            for socket in admin.state.select(named)
            if (wanted in socket.rooms if is_room else socket.sid == wanted)
        ]
    if not found:
        what = f"nobody is in the room {wanted}" if is_room else f"there is no socket {wanted}"
        where = f" in {', '.join(named)}" if named else ""
        raise UsageError(f"{what}{where}: see `nsroom sockets`")
    return Victims(sorted({namespace for namespace, _ in found}), found), target


def _blind(named: tuple[str, ...]) -> "Victims":
    if not named:
        raise UsageError("in production mode the server tells of no sockets: name the namespace with -n")
    return Victims(list(named), [])


def _confirm(victims: "Victims", wanted: str) -> None:
    from nsroom.output.terminal import safe

    number = len(victims.known)
    who = f"{number} socket{'' if number == 1 else 's'}" if number else "whoever is there"
    question = f"Disconnect {wanted}, which is {who}, from {', '.join(victims.namespaces)}?"
    if not typer.confirm(safe(question), err=True):
        say("nothing was done")
        raise typer.Exit(ExitCode.NO)


async def _kick(target: "Target", victims: "Victims", wanted: str, timeout: float) -> None:
    from nsroom.introspection.admin.client import Admin
    from nsroom.introspection.inventory import Feature

    async with Admin(target, timeout=timeout, say=say) as admin:
        for namespace in victims.namespaces:
            await admin.command(Feature.DISCONNECT, "_disconnect", namespace, False, wanted)
        if not victims.known:
            say(f"asked to disconnect {wanted}; in production mode the server does not tell what came of it")
            return
        await _wait(admin, victims, timeout)
    for namespace, sid in victims.known:
        say(f"disconnected {sid} from {namespace}")


async def _wait(admin: "Admin", victims: "Victims", timeout: float) -> None:
    def left() -> "list[Key]":
        return [key for key in victims.known if not admin.state.is_disconnected(key)]

    if not await admin.until(lambda: not left(), timeout):
        raise WaitError(f"{len(left())} of {len(victims.known)} are not gone after {timeout:g} s")
