"""Ask to join rooms, in the reference server's way or another's.

A room exists only on the server: a client emits an event with its name, and the server joins it, or not.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nsroom.client.acks import refusal
from nsroom.client.events import Emit, fill
from nsroom.errors import DecodeError, RefusedError, UsageError
from nsroom.protocol import strict_json
from nsroom.record import Json, Record

if TYPE_CHECKING:  # the live view is on the screen before the client is loaded
    from nsroom.client.client import Client

_PATIENCE = 2.0
"""Seconds to wait for a server that may never acknowledge a join."""


class Convention(NamedTuple):
    """How a server wants to be asked: an event and its arguments, with `{room}` in them."""

    event: str = "join"
    args: tuple[Json, ...] = ("{room}",)

    def request(self, namespace: str, room: str) -> Emit:
        """Return the event that asks to join a room."""
        return Emit(namespace, self.event, [fill(arg, room=room) for arg in self.args])


PRESETS = {
    "room": Convention("room"),
    "join": Convention("join"),
    "join-object": Convention("join", ({"room": "{room}"},)),
    "join_room": Convention("join_room", ({"room": "{room}"},)),
    "joinRoom": Convention("joinRoom"),
    "subscribe": Convention("subscribe"),
}


def convention(preset: str | None, event: str | None, args: str | None, nick: str | None) -> Convention:
    """Choose how to ask, out of the options of `join`.

    Raises: UsageError.
    """
    if preset is not None and (event or args):
        raise UsageError("--join-preset stands for --join-event and --join-args: give one or the other")
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"--join-preset {preset!r}: there are {', '.join(PRESETS)}")
    chosen = PRESETS[preset] if preset else Convention(event or "join", _args(args))
    if nick is None:
        return chosen
    return _with_nick(chosen, nick, own=not (preset or event or args))


def _args(text: str | None) -> tuple[Json, ...]:
    if text is None:
        return ("{room}",)
    try:
        value = strict_json.load(text)
    except DecodeError as error:
        raise UsageError(f"--join-args: {error}; write text as '\"{{room}}\"'") from None
    return tuple(value) if isinstance(value, list) else (value,)


def _with_nick(chosen: Convention, nick: str, own: bool) -> Convention:
    if own:
        chosen = PRESETS["join-object"]
    first = chosen.args[0] if chosen.args else None
    if not isinstance(first, dict):
        raise UsageError("--as has no place in this convention: put the name into --join-args")
    return chosen._replace(args=({**first, "nick": nick}, *chosen.args[1:]))


async def join(
    client: "Client", rooms: Sequence[str], how: Convention, say: Callable[[str], None]
) -> list[str]:
    """Ask to join the rooms in every connected namespace, and again after every reconnection.

    Says what is known of each room; gives those that the server refused.
    Raises: RefusedError when it refused all of them.
    """
    asked = [(room, how.request(namespace, room)) for namespace in client.namespaces for room in rooms]
    answers = await client.ask(*(emit for _, emit in asked))
    # The connection may be lost, and come back, before there is an answer.
    client.rejoin += [emit for _, emit in asked]
    await asyncio.wait(answers, timeout=_PATIENCE)
    refused = []
    for (room, emit), answer in zip(asked, answers, strict=True):
        reason = _outcome(room, answer, say)
        if reason is not None:
            client.rejoin.remove(emit)
            refused.append(f"{room}: {reason}")
    if len(refused) == len(asked):
        raise RefusedError(f"the server refused to join {'; '.join(refused)}")
    for each in refused:
        say(f"the server refused to join {each}")
    return refused


def _outcome(room: str, answer: "asyncio.Future[Record]", say: Callable[[str], None]) -> str | None:
    """Say what became of a request, or give the reason of its refusal."""
    if not answer.done():
        say(f"asked to join {room}; the server does not acknowledge it, so whether it did is not known")
        return None
    if answer.exception() is not None:
        say(f"asked to join {room}; the connection ended before the server answered")
        return None
    args = answer.result().args or []
    if refused := refusal(args):
        return str(refused)
    members = args[0].get("members") if args and isinstance(args[0], dict) else None
    say(f"joined {room}{f' ({len(members)} there)' if isinstance(members, list) else ''}")
    return None
