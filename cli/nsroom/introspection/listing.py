"""List rooms and sockets as plain JSON, from the server's own events or as it is seen from inside."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Target
from nsroom.errors import NackError, WaitError
from nsroom.introspection.inventory import Inventory, Socket
from nsroom.introspection.observer import Say
from nsroom.introspection.ways import Way
from nsroom.output.room_names import is_named, parse_room, room_order
from nsroom.output.stdio import detail, say
from nsroom.output.tables import Row, Rows
from nsroom.protocol.refusals import refusal
from nsroom.record import Json, format_time

View = Callable[[Inventory], Rows]
"""Select rows from what is known of a server."""

_POLL_INTERVAL = 1.0
"""Seconds between two requests to a server that does not report changes by itself."""
_DEBOUNCE = 0.1
"""Seconds to collect changes before showing them."""


async def follow_events(
    target: Target, room: str | None, timeout: float, watch: bool = True
) -> AsyncGenerator[Rows, None]:
    """Yield the rooms, asked for with the events `rooms` and `who` of the reference server.

    With `watch`, they are asked for once a second.

    Raises: as `Client.connect`; WaitError, NackError.
    """
    client = Client(target, say=detail, note=say)
    try:
        await client.connect()
        yield await client.guard(_request_rooms(client, room, timeout))
        while watch:
            await asyncio.sleep(_POLL_INTERVAL)
            yield await client.guard(_request_rooms(client, room, timeout))
    finally:
        await client.close()


async def _request_rooms(client: Client, room: str | None, timeout: float) -> Rows:
    try:
        async with asyncio.timeout(timeout):
            return [
                {"namespace": namespace, **each}
                for namespace in client.namespaces
                for each in await _rooms(client, namespace, room)
            ]
    except TimeoutError:
        place = client.target.place
        raise WaitError(
            f"{place} did not answer `rooms` within {timeout:g} s; does it handle that event?"
        ) from None


async def _rooms(client: Client, namespace: str, room: str | None) -> Rows:
    if room is not None:
        return [_room_row(await _answer(client, namespace, "who", [{"room": room}]), namespace)]
    listed = (await _answer(client, namespace, "rooms", [])).get("rooms")
    if not isinstance(listed, list):
        raise NackError(f"{namespace}: the server's answer to `rooms` is not a list of rooms")
    return sorted((_room_row(each, namespace) for each in listed), key=lambda row: room_order(row["room"]))


def _room_row(room: Json, namespace: str) -> Row:
    """Return a server's description of a room, checked."""
    if not isinstance(room, dict) or not isinstance(room.get("members"), list) or "room" not in room:
        raise NackError(f"{namespace}: the server's answer does not describe a room with its members")
    count = room.get("count")
    members = room["members"]
    return {
        "room": parse_room(room["room"]),
        "count": count if isinstance(count, int) else len(members),
        "members": members,
    }


async def _answer(client: Client, namespace: str, event: str, args: list[Json]) -> dict[str, Json]:
    (asked,) = await client.ask(Emit(namespace, event, args))
    answer = (await asked).args or []
    if refused := refusal(answer):
        raise NackError(f"{namespace}: the server answered {refused}")
    return answer[0] if answer and isinstance(answer[0], dict) else {}


def rooms_view(namespaces: tuple[str, ...], room: str | None, all: bool) -> View:
    """Return a view of the rooms with their members' sids, in these namespaces or in all."""

    def view(state: Inventory) -> Rows:
        return [
            {
                "namespace": key[0],
                "room": key[1],
                "count": len(members),
                "members": list(map(_member, members)),
            }
            for key, members in state.rooms(namespaces, all).items()
            if room is None or is_named(room, key[1])
        ]

    return view


def sockets_view(namespaces: tuple[str, ...], all: bool) -> View:
    """Return a view of the sockets with their rooms, in these namespaces or in all."""
    return lambda state: [_socket_row(state, each, all) for each in state.select(namespaces, all)]


def _member(socket: Socket) -> Row:
    return {"sid": socket.sid}


def _socket_row(state: Inventory, socket: Socket, all: bool) -> Row:
    rooms = [room for room in socket.rooms if all or (socket.namespace, room) not in state.sockets]
    row = {
        "namespace": socket.namespace,
        "sid": socket.sid,
        "client": socket.client,
        "transport": socket.transport,
        "address": socket.address,
        "connected": format_time(socket.connected) if socket.connected else None,
        "rooms": sorted(rooms, key=room_order),
        "data": socket.data or None,
        "server": socket.server,
    }
    return {key: value for key, value in row.items() if value is not None}


async def follow(way: Way, view: View, timeout: float, say: Say, watch: bool) -> AsyncGenerator[Rows, None]:
    """Yield the rows of a server seen from inside; with `watch`, again after every change.

    Raises: as its observer; without `watch`, WaitError after the rows if there are more.
    """
    async with way.observe(timeout=timeout, say=say) as observer:
        await observer.wait_for_sockets()
        listed = observer.state.listed
        yield view(observer.state)
        if not watch:
            observer.require_complete()
            return
        async for _ in observer.batches():
            await observer.read_until(lambda: False, _DEBOUNCE)
            # After a lost connection nothing is known until the server sends its list again.
            if observer.state.listed or (observer.state.features and not listed):
                yield view(observer.state)
