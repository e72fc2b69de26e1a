"""Handlers of join, leave, message, emit, rooms, who, nick, history."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

from nsroom_server import strict_json
from nsroom_server.chat import catchup, policy, requests
from nsroom_server.chat.delivery import Ways
from nsroom_server.chat.history import History, HistoryError
from nsroom_server.chat.presence import Presence
from nsroom_server.chat.sqlite_history import Body
from nsroom_server.engineio.packets import size_of
from nsroom_server.errors import Code, Refusal
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.activity import Activity
from nsroom_server.socketio.application import Answer, Args, Client, Handler, Later


class Chat:
    """Rooms, messages and relayed events."""

    def __init__(
        self,
        *,
        history: History,
        presence: Presence,
        deliveries: Ways,
        activity: Activity,
        limits: Limits,
        octets: int,
    ) -> None:
        self._history = history
        self._presence = presence
        self._deliveries = deliveries
        self._activity = activity
        self._limits = limits
        # An acknowledgement with messages in it must fit a client with the same limit as ours.
        self._octets = octets // 2

    @property
    def handlers(self) -> dict[str, Handler]:
        """The handlers by event name."""
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
        """Put the client into a room, and answer with its members and its latest messages."""
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
        room = requests.room("leave", args, self._limits)
        policy.require_member(self._presence.rooms(client), [room])
        await self._presence.leave(client, room)
        return ({"ok": True, "room": room},)

    async def message(self, client: Client, args: Args) -> Answer | Later:
        """Store a message, then deliver it to its room; the order of the calls is the order of the ids.

        A message without a room is delivered to the namespace and not stored.
        """
        request = requests.message(args, self._limits)
        if request.room is not None:
            policy.require_member(self._presence.rooms(client), [request.room])
        self._activity.message(client, request.room, request.text)
        body: Body = {
            "room": request.room,
            "from": client.sid,
            "nick": self._presence.nick(client),
            "text": request.text,
            "time": _now(),
        }
        if request.room is None:
            relay = requests.Relay("message", [{"id": None, **body}], None, ())
            return await self._deliveries.relay(client.namespace, relay)
        body |= {key: value for key, value in request.extra.items() if key not in ("id", *body)}
        text = strict_json.dumps(body)
        policy.require_deliverable(size_of(text), self._limits)
        return Later(self._acknowledge(self._deliveries.send(client.namespace, request.room, text)))

    async def _acknowledge(self, delivered: Awaitable[int | None]) -> Answer:
        number = await delivered
        if number is None:
            return ({"ok": True, "id": None, "history": str(Code.HISTORY_UNAVAILABLE)},)
        return ({"ok": True, "id": number},)

    async def emit(self, client: Client, args: Args) -> Answer | Later:
        """Relay an event to rooms."""
        request = requests.relay(args, self._limits)
        policy.require_member(self._presence.rooms(client), request.to or ())
        return await self._deliveries.relay(client.namespace, request)

    async def rooms(self, client: Client, _: Args) -> Answer:
        """List the namespace's rooms."""
        return ({"ok": True, "rooms": self._presence.overview(client.namespace)},)

    async def who(self, client: Client, args: Args) -> Answer:
        """List a room's members."""
        room = requests.room("who", args, self._limits)
        return ({"ok": True, **self._presence.describe(client.namespace, room)},)

    async def nick(self, client: Client, args: Args) -> Answer:
        """Set the client's nick."""
        nick = requests.nick(args, self._limits)
        await self._presence.rename(client, nick)
        return ({"ok": True, "nick": nick},)

    async def history(self, client: Client, args: Args) -> Answer:
        """Answer with a page of a room's messages."""
        page = requests.page(args, self._limits)
        return ({"ok": True, "room": page.room, **await self._read(client, page)},)

    async def _read(self, client: Client, page: requests.Page) -> dict[str, Any]:
        try:
            return await catchup.read(self._history, client.namespace, page, self._octets)
        except HistoryError as error:
            raise Refusal(Code.HISTORY_UNAVAILABLE, str(error)) from error

    async def _recall(self, client: Client, page: requests.Page) -> dict[str, Any]:
        """Return the messages for a client that has joined; a history that fails is a gap."""
        try:
            return await self._read(client, page)
        except Refusal as refusal:
            return {"history": [], "epoch": self._history.epoch, "last": None, "gap": str(refusal.code)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
