"""Join a client's own sockets to rooms from inside the server, and verify it."""

from collections.abc import Sequence
from typing import Any

from nsroom.client.client import Client
from nsroom.errors import WaitError
from nsroom.introspection.inventory import Feature
from nsroom.introspection.observer import Observer, Say
from nsroom.introspection.ways import Way
from nsroom.output.room_names import is_named

_LIST_TIMEOUT = 2.0
"""Seconds to wait for the list of sockets; verifying works without it."""


async def join(client: Client, rooms: Sequence[str], way: Way, timeout: float, say: Say) -> None:
    """Let the server join this client to rooms in every namespace, and report how that is confirmed.

    If the application has joined it already, that is reported instead. Raises: as its observer; RefusedError,
    WaitError if the server does not confirm it.
    """
    async with way.observe(timeout=timeout, say=say) as observer:
        observer.require(Feature.JOIN)
        if observer.state.reports_sockets:
            await observer.read_until(lambda: observer.state.listed, _LIST_TIMEOUT)
        for namespace, sid in client.namespaces.items():
            for room in rooms:
                await _join(observer, (namespace, sid or ""), room, timeout, say)


async def _join(observer: Observer[Any], key: tuple[str, str], room: str, timeout: float, say: Say) -> None:
    namespace, sid = key

    def inside() -> bool:
        socket = observer.state.sockets.get(key)
        return socket is not None and any(is_named(room, each) for each in socket.rooms)

    if inside():
        say(f"{observer.state.name} confirms that the application joined us to {room} in {namespace}")
        return
    await observer.join(namespace, observer.state.find_room(room, [namespace]), sid)
    if not observer.state.reports_sockets:
        state = observer.state
        say(f"asked {state.name} to join us to {room}; {state.blind} it does not confirm it")
    elif await observer.read_until(inside, timeout):
        say(f"joined {room} in {namespace} by {observer.state.name}, which confirms it")
    else:
        raise WaitError(f"{observer.state.name} did not confirm within {timeout:g} s that we are in {room}")
