"""Helpers: members of the lobby on several servers, and waiting for what they see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nsroom_server.app import Running
from tests.server.member import WAIT, Connect, Member

Servers = Callable[[int], Awaitable[list[Running]]]


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until `check` returns True."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)


async def join_lobby(connect: Connect, servers: list[Running], **options: Any) -> list[Member]:
    """Return one member of the lobby for each server, after all have seen all joins."""
    members = [await connect(running, **options) for running in servers]
    for member in members:
        await member.call("join", "lobby")
    for member in members:
        while (await member.next("join-room"))["members"] < len(members):
            continue
    return members


async def presence_events(member: Member, count: int) -> list[tuple[str, str, int]]:
    """Return the name, sid and member count of the next events, except greetings."""
    found: list[tuple[str, str, int]] = []
    while len(found) < count:
        _, event, args = await asyncio.wait_for(member.events.get(), WAIT)
        if event != "hi":
            found.append((event, args[0]["sid"], args[0]["members"]))
    return found


async def say(member: Member, room: str, *texts: str) -> list[int]:
    """Join a room and send messages to it; return their ids."""
    await member.call("join", room)
    calls = [member.call("message", {"room": room, "text": text}) for text in texts]
    return [answer["id"] for answer in await asyncio.gather(*calls)]


async def stored_ids(member: Member, room: str) -> list[int]:
    """Return the ids of a room's stored messages."""
    answer = await member.call("history", {"room": room, "limit": 1000})
    return [entry["id"] for entry in answer["history"]]


def accepts_messages(member: Member, text: str) -> Callable[[], Awaitable[bool]]:
    """Return a check for `until`: whether a message to the lobby is acknowledged."""

    async def check() -> bool:
        return "ok" in await member.call("message", {"room": "lobby", "text": text})

    return check
