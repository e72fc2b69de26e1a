"""What the server does on each event: thin handlers between the policy, the rooms and the history."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from nsroom_server import catchup, policy, requests
from nsroom_server.application import Answer, Client, Handler, Later
from nsroom_server.backing import Backing, Bus
from nsroom_server.config import Config
from nsroom_server.history import HistoryError
from nsroom_server.ledger import Body
from nsroom_server.limits import Limits
from nsroom_server.server import Server

log = logging.getLogger("nsroom_server")

Args = Sequence[Any]
LAB: Final = "/lab"
LONGEST_DELAY: Final = 60_000
LONGEST_FLOOD: Final = 1_000_000
_CHUNK: Final = 65_536


class Chat:
    """Rooms, messages and relayed events."""

    def __init__(self, backing: Backing, limits: Limits, octets: int) -> None:
        self._history, self._presence, self._deliveries = backing[:3]
        self._limits = limits
        # An acknowledgement with messages in it is to fit a client that reads no more than we do.
        self._octets = octets // 2

    @property
    def handlers(self) -> dict[str, Handler]:
        """The events by name."""
        return {
            **dict.fromkeys(("join", "room", "subscribe", "join_room", "joinRoom"), self.join),
            **dict.fromkeys(("leave", "unsubscribe", "leave_room"), self.leave),
            "message": self.message,
            "emit": self.emit,
            "rooms": self.rooms,
            "who": self.who,
            "nick": self.nick,
            "history": self.history,
        }

    async def join(self, client: Client, args: Args) -> Answer:
        """Put the client into a room; answer who is there and what was said."""
        request = requests.join(args, self._limits)
        policy.require_joinable(
            request.room,
            self._presence.rooms(client),
            self._limits.rooms_per_socket,
            lambda name: self._presence.is_sid(client.namespace, name),
        )
        if request.nick is not None:
            await self._presence.rename(client, request.nick)
        await self._presence.enter(client, request.room)
        page = requests.Page(request.room, request.after, self._limits.history_default, request.epoch)
        history = await self._recall(client, page)
        return ({"ok": True, **self._presence.describe(client.namespace, request.room), **history},)

    async def leave(self, client: Client, args: Args) -> Answer:
        """Take the client out of a room."""
        room = requests.room(args, self._limits)
        policy.require_member(self._presence.rooms(client), [room])
        await self._presence.leave(client, room)
        return ({"ok": True, "room": room},)

    async def message(self, client: Client, args: Args) -> Later:
        """Store a message, then deliver it to its room; the order of the calls is the order of the ids."""
        request = requests.message(args, self._limits)
        policy.require_member(self._presence.rooms(client), [request.room])
        body: Body = {
            "room": request.room,
            "from": client.sid,
            "nick": self._presence.nick(client),
            "text": request.text,
            "time": _now(),
        }
        body |= {key: value for key, value in request.extra.items() if key not in ("id", *body)}
        return Later(self._acknowledge(self._deliveries.send(client.namespace, body)))

    async def _acknowledge(self, delivered: Awaitable[int | None]) -> Answer:
        number = await delivered
        if number is None:
            return ({"ok": True, "id": None, "history": str(policy.Code.HISTORY_UNAVAILABLE)},)
        return ({"ok": True, "id": number},)

    async def emit(self, client: Client, args: Args) -> Answer | Later:
        """Relay an event to rooms."""
        request = requests.relay(args, self._limits)
        policy.require_member(self._presence.rooms(client), request.to)
        return await self._deliveries.relay(client.namespace, request)

    async def rooms(self, client: Client, _: Args) -> Answer:
        """List the namespace's rooms."""
        return ({"ok": True, "rooms": self._presence.overview(client.namespace)},)

    async def who(self, client: Client, args: Args) -> Answer:
        """List a room's members."""
        return ({"ok": True, **self._presence.describe(client.namespace, requests.room(args, self._limits))},)

    async def nick(self, client: Client, args: Args) -> Answer:
        """Set the client's nick."""
        nick = requests.nick(args, self._limits)
        await self._presence.rename(client, nick)
        return ({"ok": True, "nick": nick},)

    async def history(self, client: Client, args: Args) -> Answer:
        """Answer a part of what was said."""
        page = requests.page(args, self._limits)
        return ({"ok": True, "room": page.room, **await self._read(client, page)},)

    async def _read(self, client: Client, page: requests.Page) -> dict[str, Any]:
        try:
            return await catchup.read(self._history, client.namespace, page, self._octets)
        except HistoryError as error:
            raise policy.Refusal(policy.Code.HISTORY_UNAVAILABLE, str(error)) from error

    async def _recall(self, client: Client, page: requests.Page) -> dict[str, Any]:
        """Give what was said to who has joined already, whatever becomes of the history."""
        try:
            return await self._read(client, page)
        except policy.Refusal as refusal:
            return {"history": [], "epoch": self._history.epoch, "last": None, "gap": str(refusal.code)}


class Lab:
    """Answers to test clients with."""

    def __init__(self, server: Server, octets: int) -> None:
        self._server = server
        self._octets = octets

    @property
    def handlers(self) -> dict[str, Handler]:
        """The events by name."""
        names = ("echo", "delay", "never", "error", "binary", "flood", "kick")
        return {name: getattr(self, name) for name in names}

    async def echo(self, client: Client, args: Args) -> Answer:
        """Send the arguments back, as an event and as the acknowledgement."""
        await self._send(client, "echo", *args)
        return tuple(args)

    async def delay(self, client: Client, args: Args) -> Later:  # noqa: ARG002
        """Acknowledge after so many milliseconds."""
        milliseconds = requests.integer(args, "ms", 0, LONGEST_DELAY)
        return Later(self._acknowledge_after(milliseconds))

    async def _acknowledge_after(self, milliseconds: int) -> Answer:
        try:
            await asyncio.wait_for(self._server.draining.wait(), milliseconds / 1000)
        except TimeoutError:
            return ({"ok": True, "ms": milliseconds},)
        raise policy.Refusal(policy.Code.DRAINING, "the server is about to end")

    async def never(self, client: Client, args: Args) -> None:
        """Do not acknowledge."""

    async def error(self, client: Client, args: Args) -> Answer:  # noqa: ARG002
        """Refuse."""
        raise policy.Refusal(policy.Code.LAB_ERROR, "this is the error that was asked for")

    async def binary(self, client: Client, args: Args) -> Answer:
        """Send binary, as an event and as the acknowledgement: the client's own, or so many bytes."""
        own = args[0] if args and isinstance(args[0], bytes) else None
        size = requests.integer(args, "size", 0, self._octets, 16) if own is None else 0
        payload = own if own is not None else bytes(number % 256 for number in range(size))
        await self._send(client, "binary", payload)
        return (payload,)

    async def flood(self, client: Client, args: Args) -> Later:
        """Send many events as fast as the client takes them."""
        count = requests.integer(args, "count", 0, LONGEST_FLOOD)
        size = requests.integer(args, "size", 0, self._octets, 0)
        return Later(self._flood(client, count, "x" * size))

    async def _flood(self, client: Client, count: int, pad: str) -> Answer:
        step = max(1, min(_CHUNK // (len(pad) + 64), self._server.options.limits.queued_frames // 4))
        for start in range(0, count, step):
            for number in range(start, min(start + step, count)):
                await self._send(client, "flood", {"n": number, "pad": pad})
            session = self._server.session(client)
            if self._server.draining.is_set() or not (session and await session.drained()):
                raise policy.Refusal(policy.Code.DRAINING, "the connection is about to end")
        return ({"ok": True, "count": count},)

    async def kick(self, client: Client, args: Args) -> None:  # noqa: ARG002
        """Disconnect the client from the namespace; that is the answer."""
        await self._server.disconnect(client.sid, client.namespace)

    async def _send(self, client: Client, event: str, *args: Any) -> None:
        await self._server.emit(event, args, to=client.sid, namespace=client.namespace)


class Namespaces:
    """All that the server offers, by namespace: the Application of the Server."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._handlers: Mapping[str, Handler] = {}
        self._lab: Mapping[str, Handler] = {}
        self.parts: dict[str, Callable[[], bool]] = {}
        """The parts that can fail while the server goes on, and whether they work."""
        self.bus: Bus | None = None
        """What connects this server to others, if there are any."""
        self.took: Callable[[float], object] = float
        """Is told the seconds until each message was durable."""

    def attach(self, server: Server, backing: Backing) -> None:
        """Begin to answer, with what is behind it."""
        self._server = server
        self.presence = backing.presence
        self.parts["history"] = lambda: not backing.deliveries.failing
        if bus := backing.bus:
            self.bus = bus
            self.parts["bus"] = lambda: bus.works
        self._handlers = Chat(backing, server.options.limits, self._config.max_payload).handlers
        self._lab = {**self._handlers, **Lab(server, self._config.max_payload).handlers}

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse a client without the token, and a namespace that is not there."""
        return self._config.connect_refusal(namespace, auth)

    def handler(self, namespace: str, event: Any) -> Handler | None:
        """Find who handles an event."""
        return (self._lab if namespace == LAB else self._handlers).get(event)

    async def connected(self, client: Client, auth: Any) -> None:  # noqa: ARG002
        """Log it, and greet the namespace."""
        log.info("someone connected", extra={"fields": {"namespace": client.namespace, "sid": client.sid}})
        await self._server.emit("hi", "everyone!", namespace=client.namespace)

    async def disconnected(self, client: Client) -> None:
        """Log it, and tell the rooms; nobody is told when everybody leaves."""
        log.info("someone disconnected", extra={"fields": {"namespace": client.namespace, "sid": client.sid}})
        if not self._server.draining.is_set():
            await self.presence.forget(client)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
