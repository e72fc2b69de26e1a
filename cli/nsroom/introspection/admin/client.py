"""A connection to the admin namespace of an instrumented server."""

import asyncio
import shlex
from collections.abc import Sequence

from nsroom.channel import now
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Target
from nsroom.errors import CredentialsError, RefusedError, WaitError
from nsroom.introspection.admin.state import State
from nsroom.introspection.attach.opening import is_here
from nsroom.introspection.inventory import Feature
from nsroom.introspection.observer import Observer, Say, Where
from nsroom.output.room_names import Room
from nsroom.output.stdio import detail
from nsroom.protocol.limits import LIST_LIMITS
from nsroom.record import Direction, Json, Record

# In Python 3.11 looking up an enum member takes 0.2 µs.
_LOCAL = Direction.LOCAL
_LIST_TIMEOUT = 2.0
"""Seconds to wait for the list of python-socketio, which sends it to another admin if there is one."""
_STATISTICS_TIMEOUT = 2.5
"""Seconds to wait for the statistics, which arrive every two."""
_WRONG_CREDENTIALS = ("invalid credentials", "authentication failed")
"""The refusals of Node and python-socketio for a wrong password."""
_INSTRUMENT = (
    'require("@socket.io/admin-ui").instrument(io, { auth: false });    // in the server, if it runs on Node',
    "sio.instrument(auth=False)    # in the server, if it is python-socketio",
)
"""The lines that instrument a server on one's own machine."""
_ATTACH = "--via attach    # needs neither: sees a Node process of yours on this machine"


class Admin(Observer[Record]):
    """Observes an instrumented server: `async with Admin(target) as admin`.

    The target's one namespace is the admin namespace. A change is a record of that connection. Entering
    raises as `Client.connect`; CredentialsError, WaitError.
    """

    state: State

    def __init__(self, target: Target, *, timeout: float = 5.0, say: Say = str) -> None:
        super().__init__(timeout=timeout, say=say)
        self.state = State(target.namespaces[0])
        # A connection for a single answer is not worth a message.
        shown = say if target.reconnect else detail
        self._client = Client(target, watch=True, say=shown, note=say, limits=LIST_LIMITS)
        self._batches = self._client.records()

    async def _open(self) -> None:
        try:
            await self._client.connect()
        except RefusedError as error:
            raise _with_cure(error, self._client.target) from None
        if not await self.read_until(lambda: self.state.features is not None, self._timeout):
            raise WaitError(
                f"{self.state.name} accepted us, but sent no `config` within {self._timeout:g} s:"
                " is it the admin namespace of an instrumented server?"
            )

    async def _shut(self) -> None:
        await self._client.close()
        await self._batches.aclose()  # type: ignore[attr-defined]

    async def _fetch(self) -> list[Record] | None:
        return await anext(self._batches, None)

    def _apply(self, change: Record) -> list[Record]:
        actions = self.state.feed(change)
        return [*actions, change] if change.direction is _LOCAL else actions

    async def wait_for_sockets(self) -> None:
        """Wait until every socket is known.

        Raises: RefusedError in production mode, where the server lists none; WaitError, LostError.
        """
        if not self.state.is_python:
            await super().wait_for_sockets()
            return
        await self.require_sockets()
        if await self.read_until(lambda: self.state.listed, _LIST_TIMEOUT):
            return
        seconds = self.state.heartbeat + 1
        self._say(f"no list of sockets arrived: collecting them from the heartbeats for {seconds:g} s")
        await self.read_until(lambda: self.state.listed, seconds)

    async def require_sockets(self) -> None:
        """Check that the server reports its sockets. Raises: RefusedError, LostError."""
        if self.state.reports_sockets:
            return
        await self.read_until(lambda: bool(self.state.servers(now())), _STATISTICS_TIMEOUT)
        counts = ", ".join(f"{name} {number}" for name, number in self.state.socket_counts(now()).items())
        raise RefusedError(
            f"{self.state.name} is in production mode and reports only the number of sockets:"
            f" {counts or 'none'}; call instrument() with mode 'development' to see them"
        )

    async def join(self, namespace: str, room: Room, where: Where) -> None:
        """Let the server join sockets to a room."""
        await self._command(Feature.JOIN, "join", namespace, room, where)

    async def leave(self, namespace: str, room: Room, where: Where) -> None:
        """Let sockets leave a room."""
        await self._command(Feature.LEAVE, "leave", namespace, room, where)

    async def emit(
        self, namespace: str, where: Where, event: str | int | float, args: Sequence[Json]
    ) -> None:
        """Let the server emit an event to sockets."""
        await self._command(Feature.EMIT, "emit", namespace, where, event, *args)

    async def disconnect(self, namespace: str, where: Where) -> None:
        """Disconnect sockets from a namespace."""
        await self._command(Feature.DISCONNECT, "_disconnect", namespace, False, where)

    async def _command(self, feature: Feature, event: str, *args: Json) -> None:
        """Send a command, and return when the server has read it.

        Raises: RefusedError if the server does not support it, WaitError, LostError.
        """
        self.require(feature)
        emit = Emit(self.state.own_namespace, event, list(args))
        if not self.state.is_python:
            # Without an id: Node's admin would take the callback as another argument.
            await self._client.emit(emit)
            await self.run_while_reading(self._client.settle(self._timeout))
            return
        (answer,) = await self._client.ask(emit)
        done, _ = await self.run_while_reading(asyncio.wait([answer], timeout=self._timeout))
        if not done:
            raise WaitError(
                f"{self.state.name} lists {feature}, but does not answer it: in production mode"
                " python-socketio has no handler for it"
            )


def _with_cure(error: RefusedError, target: Target) -> RefusedError:
    """Return a refusal with its cure."""
    text = str(error)
    if any(text.endswith(words) for words in _WRONG_CREDENTIALS):
        return CredentialsError(
            f"{text}; use --admin-auth USER:PASSWORD, --admin-auth @FILE, or $NSROOM_ADMIN"
        )
    place = shlex.quote(target.place)
    return RefusedError(
        f"{text}: the server is not instrumented, or has another admin namespace (--admin-namespace)",
        *_INSTRUMENT,
        *((_ATTACH,) if is_here(target) else ()),
        f"nsroom proxy {place}    # needs neither: shows the clients that connect through it",
    )
