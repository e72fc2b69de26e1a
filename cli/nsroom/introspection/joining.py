"""Join a client's own sockets to rooms through the admin namespace, and verify it."""

from collections.abc import Sequence

from nsroom.client.client import Client
from nsroom.client.target import Target
from nsroom.errors import WaitError
from nsroom.introspection.admin.client import Admin, Say
from nsroom.introspection.inventory import Feature
from nsroom.output.room_names import is_named

_LIST_TIMEOUT = 2.0
"""Seconds to wait for the list of sockets; verifying works without it."""


async def join(client: Client, rooms: Sequence[str], target: Target, timeout: float, say: Say) -> None:
    """Let the server join this client to rooms in every namespace, and report how that is confirmed.

    If the application has joined it already, that is reported instead. Raises: as `Admin`; RefusedError,
    WaitError if the server does not confirm it.
    """
    async with Admin(target, timeout=timeout, say=say) as admin:
        admin.require(Feature.JOIN)
        if admin.state.reports_sockets:
            await admin.read_until(lambda: admin.state.listed, _LIST_TIMEOUT)
        for namespace, sid in client.namespaces.items():
            for room in rooms:
                await _join(admin, (namespace, sid or ""), room, timeout, say)


async def _join(admin: Admin, key: tuple[str, str], room: str, timeout: float, say: Say) -> None:
    namespace, sid = key

    def inside() -> bool:
        socket = admin.state.sockets.get(key)
        return socket is not None and any(is_named(room, each) for each in socket.rooms)

    if inside():
        say(f"{admin.state.namespace} confirms that the application joined us to {room} in {namespace}")
        return
    await admin.command(Feature.JOIN, "join", namespace, admin.state.find_room(room, [namespace]), sid)
    if not admin.state.reports_sockets:
        say(f"asked {admin.state.namespace} to join us to {room}; in production mode it does not confirm it")
    elif await admin.read_until(inside, timeout):
        say(f"joined {room} in {namespace} by {admin.state.namespace}, which confirms it")
    else:
        raise WaitError(f"{admin.state.namespace} did not confirm within {timeout:g} s that we are in {room}")
