"""Join rooms, by the reference server's convention or another's.

Rooms exist only on the server: a client emits an event with a room's name, which the server may follow.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nsroom.client.presets import Convention, find
from nsroom.errors import DecodeError, RefusedError, UsageError
from nsroom.protocol import strict_json
from nsroom.protocol.refusals import refusal
from nsroom.record import Json, Record

if TYPE_CHECKING:  # the live view is on the screen before the client is loaded
    from nsroom.client.client import Client

_ACK_TIMEOUT = 2.0
"""Seconds to wait for the acknowledgement of a join, which many servers never send."""


def convention(preset: str | None, event: str | None, args: str | None, nick: str | None) -> Convention:
    """Return the convention that the options of `join` choose. Raises: UsageError."""
    if preset is not None and (event or args):
        raise UsageError("use either --join-preset, or --join-event and --join-args")
    if preset is not None and find(preset).join is None:
        raise UsageError(f"the preset {preset} has no event to join a room: use --join-event and --join-args")
    chosen = find(preset).join or Convention(event or "join", _args(args))
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
        chosen = Convention("join", ({"room": "{room}"},))
    first = chosen.args[0] if chosen.args else None
    if not isinstance(first, dict):
        raise UsageError("this convention has no place for --as: put the name into --join-args")
    return chosen._replace(args=({**first, "nick": nick}, *chosen.args[1:]))


async def join(
    client: "Client", rooms: Sequence[str], how: Convention, say: Callable[[str], None]
) -> list[str]:
    """Join the rooms in every connected namespace, now and after every reconnection.

    Reports the result for each room; returns the refused rooms with the reasons.
    Raises: RefusedError when all are refused.
    """
    asked = [(room, how.request(namespace, room)) for namespace in client.namespaces for room in rooms]
    answers = await client.ask(*(emit for _, emit in asked))
    # Before the answers: the connection may be lost and replaced while waiting for them.
    client.rejoin += [emit for _, emit in asked]
    await asyncio.wait(answers, timeout=_ACK_TIMEOUT)
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
    """Report the result of a request, or return the reason of its refusal."""
    if not answer.done():
        say(f"asked to join {room}: no acknowledgement, so the outcome is unknown")
        return None
    if answer.exception() is not None:
        say(f"asked to join {room}: the connection ended before the server answered")
        return None
    args = answer.result().args or []
    if refused := refusal(args):
        return str(refused)
    members = args[0].get("members") if args and isinstance(args[0], dict) else None
    say(f"joined {room}{_count(members) if isinstance(members, list) else ''}")
    return None


def _count(members: list[Json]) -> str:
    return f" ({len(members)} member{'s' * (len(members) != 1)})"
