"""Lists of rooms and sockets as plain JSON: what the server's own events tell, or its admin namespace."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from nsroom.client.acks import is_refusal, refusal
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Target
from nsroom.errors import NackError, WaitError
from nsroom.introspection.admin.client import Admin, Say
from nsroom.introspection.admin.state import State
from nsroom.introspection.inventory import Socket
from nsroom.output.stdio import say
from nsroom.output.tables import Row, Rows
from nsroom.record import Json, format_time

View = Callable[[State], Rows]
"""What to list of what an admin namespace tells."""

_PAUSE = 1.0
"""Seconds between two questions to a server that has to be asked."""
_CALM = 0.1
"""Seconds in which changes are gathered before they are shown."""


async def following_events(target: Target, room: str | None, timeout: float) -> AsyncGenerator[Rows, None]:
    """Ask for the rooms with the events `rooms` and `who` of the reference server, every second.

    Raises: as `Client.connect`; WaitError, NackError.
    """
    client = Client(target, note=say)
    try:
        await client.connect()
        while True:
            yield await client.guard(_asked(client, room, timeout))
            await asyncio.sleep(_PAUSE)
    finally:
        await client.close()


async def _asked(client: Client, room: str | None, timeout: float) -> Rows:
    try:
        async with asyncio.timeout(timeout):
            return [
                {"namespace": namespace, **each}
                for namespace in client.namespaces
                for each in await _rooms(client, namespace, room)
            ]
    except TimeoutError:
        place = client.target.place
        raise WaitError(f"{place} did not say within {timeout:g} s: has it a `rooms` event?") from None


async def _rooms(client: Client, namespace: str, room: str | None) -> Rows:
    if room is not None:
        return [_described(await _answer(client, namespace, "who", [{"room": room}]), namespace)]
    listed = (await _answer(client, namespace, "rooms", [])).get("rooms")
    if not isinstance(listed, list):
        raise NackError(f"{namespace}: the server's answer to `rooms` is no list of rooms")
    return [_described(each, namespace) for each in listed]


def _described(room: Json, namespace: str) -> Row:
    """Check what a server says of a room."""
    if not isinstance(room, dict) or not isinstance(room.get("members"), list) or "room" not in room:
        raise NackError(f"{namespace}: the server's answer does not describe a room with its members")
    count = room.get("count")
    members = room["members"]
    return {
        "room": str(room["room"]),
        "count": count if isinstance(count, int) else len(members),
        "members": members,
    }


async def _answer(client: Client, namespace: str, event: str, args: list[Json]) -> dict[str, Json]:
    (asked,) = await client.ask(Emit(namespace, event, args))
    answer = (await asked).args or []
    if is_refusal(answer):
        raise NackError(f"{namespace}: the server answered {refusal(answer)}")
    return answer[0] if answer and isinstance(answer[0], dict) else {}


def rooms_view(namespaces: tuple[str, ...], room: str | None, all: bool) -> View:
    """List the rooms with their members' sids; without namespaces, those of every one."""

    def view(state: State) -> Rows:
        return [
            {
                "namespace": key[0],
                "room": key[1],
                "count": len(members),
                "members": list(map(_member, members)),
            }
            for key, members in state.rooms(namespaces, all).items()
            if room in (None, key[1])
        ]

    return view


def sockets_view(namespaces: tuple[str, ...], all: bool) -> View:
    """List the sockets with their rooms; without namespaces, those of every one."""
    return lambda state: [_described_socket(state, each, all) for each in state.select(namespaces, all)]


def _member(socket: Socket) -> Row:
    return {"sid": socket.sid}


def _described_socket(state: State, socket: Socket, all: bool) -> Row:
    rooms = sorted(room for room in socket.rooms if all or (socket.namespace, room) not in state.sockets)
    row = {
        "namespace": socket.namespace,
        "sid": socket.sid,
        "client": socket.client,
        "transport": socket.transport,
        "address": socket.address,
        "connected": format_time(socket.connected) if socket.connected else None,
        "rooms": rooms,
        "data": socket.data or None,
    }
    return {key: value for key, value in row.items() if value is not None}


async def following_admin(target: Target, view: View, timeout: float, say: Say) -> AsyncGenerator[Rows, None]:
    """List what an admin namespace tells, again after every change. Raises: as `Admin`."""
    async with Admin(target, timeout=timeout, say=say) as admin:
        await admin.listing()
        listed = admin.state.listed
        yield view(admin.state)
        async for _ in admin.batches():
            await admin.until(lambda: False, _CALM)
            # After a lost connection nothing is known until there is a list again.
            if admin.state.listed or (admin.state.features and not listed):
                yield view(admin.state)
