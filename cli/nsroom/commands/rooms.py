"""`nsroom rooms`: list the rooms of namespaces with their members."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.errors import NackError, WaitError
from nsroom.options import ConnectionOptions, expand

if TYPE_CHECKING:
    from nsroom.client import Client
    from nsroom.record import Json
    from nsroom.target import Target


@expand
def rooms(
    room: Annotated[str | None, typer.Argument(metavar="[ROOM]", help="Only this one.")] = None,
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the answers.")
    ] = 5.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a room.")] = False,
) -> None:
    """List the rooms of the namespaces with their members.

    Only a server can know its rooms: nsroom asks with the events `rooms` and `who` of the reference server.

    \b
    Examples:
      nsroom rooms
      nsroom rooms lobby -n /chat
      nsroom rooms --json | jq -r '.room + " " + (.members | length | tostring)'
    """
    from nsroom.signals import run

    target = replace(connection.target(), reconnect=False)
    found = run(_ask(target, room, timeout))
    if json:
        _print_json(found)
    else:
        _print_table(found)


async def _ask(target: "Target", room: str | None, timeout: float) -> "list[dict[str, Json]]":
    import asyncio

    from nsroom.client import Client

    client = Client(target)
    try:
        await client.connect()
        async with asyncio.timeout(timeout):
            return [
                {"namespace": namespace, **each}
                for namespace in client.namespaces
                for each in await _rooms(client, namespace, room)
            ]
    except TimeoutError:
        raise WaitError(f"{target.place} did not say within {timeout:g} s: has it a `rooms` event?") from None
    finally:
        await client.close()


async def _rooms(client: "Client", namespace: str, room: str | None) -> "list[dict[str, Json]]":
    if room is not None:
        return [_described(await _answer(client, namespace, "who", [{"room": room}]), namespace)]
    listed = (await _answer(client, namespace, "rooms", [])).get("rooms")
    if not isinstance(listed, list):
        raise NackError(f"{namespace}: the server's answer to `rooms` is no list of rooms")
    return [_described(each, namespace) for each in listed]


def _described(room: "Json", namespace: str) -> "dict[str, Json]":
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


async def _answer(client: "Client", namespace: str, event: str, args: "list[Json]") -> "dict[str, Json]":
    from nsroom.arguments import Emit
    from nsroom.delivery import is_refusal, refusal

    (asked,) = await client.ask(Emit(namespace, event, args))
    answer = (await asked).args or []
    if is_refusal(answer):
        raise NackError(f"{namespace}: the server answered {refusal(answer)}")
    return answer[0] if answer and isinstance(answer[0], dict) else {}


def _print_json(found: "list[dict[str, Json]]") -> None:
    from nsroom.sinks import encode_value
    from nsroom.streams import put

    put(b"".join(map(encode_value, found)))


def _print_table(found: "list[dict[str, Json]]") -> None:
    from rich.table import Table

    from nsroom.streams import put, say
    from nsroom.terminal import console, safe

    if not found:
        say("no rooms: nobody has joined one")
        return
    table = Table("namespace", "room", "members", "", box=None, pad_edge=False, header_style="dim")
    for each in found:
        names = ", ".join(_name(member) for member in each["members"])
        table.add_row(safe(each["namespace"]), safe(each["room"]), str(each["count"]), safe(names))
    shown = console(sys.stdout)
    with shown.capture() as captured:
        shown.print(table)
    put(captured.get().encode())


def _name(member: "Json") -> str:
    """Give a member's nick, else its sid."""
    if not isinstance(member, dict):
        return str(member)
    return str(member.get("nick") or member.get("sid") or "?")
