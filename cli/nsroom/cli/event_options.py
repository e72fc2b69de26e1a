"""Options of `emit` and `call`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.declarations import Option, Options
from nsroom.errors import RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from nsroom.client.client import Client
    from nsroom.client.events import Emit


class EmitOptions(Options):
    """The arguments of an event, and the rooms that the reference server relays it to."""

    text: Annotated[bool, Option("-t", "--text", help="Take every ARG as a plain string.")] = False
    room: Annotated[
        list[str] | None,
        Option(
            "--room",
            "--to",
            metavar="ROOM",
            help="Join this room of the reference server and relay the event to it; repeatable.",
        ),
    ] = None
    skip: Annotated[
        list[str] | None,
        Option("--except", metavar="ROOM", help="Leave the members of this room out of --room; repeatable."),
    ] = None
    timeout: Annotated[
        float,
        Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for an acknowledgement."),
    ] = 5.0

    def emit(self, event: str, args: Sequence[str], namespace: str) -> "Emit":
        """Return the event that the command line names. Raises: UsageError."""
        from nsroom.client.events import Emit, parse_arguments

        return self.relayed(Emit(namespace, event, parse_arguments(args, self.text)))

    def relayed(self, emit: "Emit") -> "Emit":
        """Return the event, wrapped for a relay if --room is given. Raises: UsageError."""
        from nsroom.client.events import relay

        if self.skip and not self.room:
            raise UsageError("--except needs --room: it leaves out some of its members")
        return relay(emit, self.room, self.skip or ()) if self.room else emit

    def joins(self, namespaces: Sequence[str]) -> "list[Emit]":
        """Return the events that `enter` emits."""
        from nsroom.client.presets import Convention

        return [Convention().request(namespace, room) for namespace in namespaces for room in self.room or ()]

    async def enter(self, client: "Client") -> None:
        """Join the rooms of --room, since only members may relay to a room.

        Raises: RefusedError; WaitError if the server does not answer as the reference server does.
        """
        from nsroom.client.joins import join
        from nsroom.client.presets import Convention

        if not self.room:
            return
        if refused := await join(client, self.room, Convention(), lambda _: None):
            raise RefusedError(f"the server refused to join {'; '.join(refused)}")
        self.require_relay(client, list(client.namespaces))

    def require_relay(self, client: "Client", namespaces: Sequence[str]) -> None:
        """Check that the server relays events to rooms. Raises: WaitError if it is not known to."""
        if not all(map(client.is_reference_server, namespaces)):
            raise WaitError(
                "not sent: --to asks the reference server (`nsroom serve`) to relay an event, and this server"
                " does not answer as one; an instrumented server emits it with `emit --via admin --write`"
            )
