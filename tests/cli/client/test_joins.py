"""Joining rooms, by the convention of every server."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.client import joins
from nsroom.client.events import Emit
from nsroom.client.joins import convention, join
from nsroom.client.presets import Convention
from nsroom.errors import RefusedError, UsageError
from tests.cli.clients import Connect, Reference, answer
from tests.cli.scripted import stock
from tests.peers import bad


@pytest.mark.parametrize(
    ("preset", "event", "args", "nick", "expected"),
    [
        (None, None, None, None, Convention("join", ("{room}",))),
        ("room", None, None, None, Convention("room", ("{room}",))),
        ("join_room", None, None, None, Convention("join_room", ({"room": "{room}"},))),
        (None, "enter", None, None, Convention("enter", ("{room}",))),
        (None, "enter", '["{room}", 1]', None, Convention("enter", ("{room}", 1))),
        (None, None, '{"table": "{room}"}', None, Convention("join", ({"table": "{room}"},))),
        (None, None, "[]", None, Convention("join", ())),
        (None, None, None, "ann", Convention("join", ({"room": "{room}", "nick": "ann"},))),
        ("join-object", None, None, "ann", Convention("join", ({"room": "{room}", "nick": "ann"},))),
        (None, "x", '[{"r": "{room}"}, 2]', "ann", Convention("x", ({"r": "{room}", "nick": "ann"}, 2))),
    ],
)
def test_conventions(
    preset: str | None, event: str | None, args: str | None, nick: str | None, expected: Convention
) -> None:
    assert convention(preset, event, args, nick) == expected


@pytest.mark.parametrize(
    ("preset", "event", "args", "nick", "complaint"),
    [
        ("nonsense", None, None, None, "unknown preset 'nonsense': choose room, join, "),
        ("room", "x", None, None, "use either --join-preset, or --join-event"),
        ("room", None, "[]", None, "use either --join-preset, or --join-event"),
        (None, None, "{room}", None, "--join-args: "),
        ("room", None, None, "ann", "this convention has no place for --as"),
        (None, "enter", None, "ann", "no place for --as"),
        (None, None, "[]", "ann", "no place for --as"),
    ],
)
def test_conventions_that_contradict_themselves(
    preset: str | None, event: str | None, args: str | None, nick: str | None, complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        convention(preset, event, args, nick)
    assert complaint in str(caught.value)


async def test_rooms_are_joined_in_every_namespace(reference: Reference, connect: Connect) -> None:
    said: list[str] = []
    client = await connect((await reference()).url, "/", "/chat")
    assert await join(client, ["a", "b"], convention(None, None, None, "ann"), said.append) == []
    assert said == ["joined a (1 member)", "joined b (1 member)"] * 2
    for namespace in ("/", "/chat"):
        (who,) = await answer(client, "who", {"room": "a"}, namespace=namespace)
        assert [member["nick"] for member in who["members"]] == ["ann"]
    assert [(each.namespace, each.args[0]["room"]) for each in client.rejoin] == [
        (namespace, room) for namespace in ("/", "/chat") for room in ("a", "b")
    ]


async def test_refused_rooms_are_reported_and_not_joined_again(
    reference: Reference, connect: Connect
) -> None:
    said: list[str] = []
    client = await connect((await reference()).url)
    (refused,) = await join(client, ["fine", "\x00"], Convention(), said.append)
    assert refused.startswith("\x00: ")
    assert said[0] == "joined fine (1 member)"
    assert said[1].startswith("the server refused to join \x00: ")
    assert client.rejoin == [Emit("/", "join", ["fine"])]


async def test_when_every_room_is_refused(reference: Reference, connect: Connect) -> None:
    client = await connect((await reference()).url)
    with pytest.raises(RefusedError, match="the server refused to join \x00: "):
        await join(client, ["\x00"], Convention(), str)
    assert client.rejoin == []


async def test_a_server_that_does_not_acknowledge(
    stack: AsyncExitStack, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joins, "_ACK_TIMEOUT", 0.1)
    said: list[str] = []
    client = await connect(await stack.enter_async_context(bad.sends()))
    assert await join(client, ["lobby"], Convention("room"), said.append) == []
    assert said == ["asked to join lobby: no acknowledgement, so the outcome is unknown"]
    assert client.rejoin == [Emit("/", "room", ["lobby"])]


@pytest.mark.parametrize("acknowledgement", [None, True, "ok", {"ok": True}, {"members": "many"}])
async def test_a_server_with_other_acknowledgements(
    acknowledgement: Any, stack: AsyncExitStack, connect: Connect
) -> None:
    said: list[str] = []
    url, server = await stack.enter_async_context(stock(lambda _sid, _environ, _auth: None))
    server.on("subscribe", lambda _sid, _room: acknowledgement)
    assert await join(await connect(url), ["x"], Convention("subscribe"), said.append) == []
    assert said == ["joined x"]


async def test_a_connection_lost_while_joining(stack: AsyncExitStack, connect: Connect) -> None:
    """The reconnection joins it."""
    said: list[str] = []
    asked = 0
    joined = asyncio.Event()

    async def script(talk: bad.Conversation) -> None:
        nonlocal asked
        await talk.welcome()
        await talk.receive()
        asked += 1
        if asked == 1:
            return
        joined.set()
        await talk.receive()

    client = await connect(await stack.enter_async_context(bad.conversation(script)))
    assert await join(client, ["lobby"], Convention(), said.append) == []
    assert said == ["asked to join lobby: the connection ended before the server answered"]
    async with asyncio.timeout(5):
        await joined.wait()
