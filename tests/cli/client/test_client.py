"""The client over real sockets: namespaces, events in both directions, and the end."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.client.client import Client
from nsroom.client.events import Acknowledge, Emit
from nsroom.client.replies import Rule
from nsroom.client.target import Target
from nsroom.errors import LostError, UsageError
from tests.cli.clients import WAIT, Connect, Reference, answer, make, until
from tests.cli.scripted import Polling, stock
from tests.peers import bad

# Emitting


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "newListener"])
async def test_reserved_events_are_not_sent(name: str, reference: Reference, connect: Connect) -> None:
    server = await reference()
    client = await connect(server.url, "/lab")
    with pytest.raises(UsageError, match=f"'{name}' is a reserved event name"):
        await client.emit(Emit("/lab", "echo", []), Emit("/lab", name, []))
    with pytest.raises(UsageError, match="reserved"):
        await client.ask(Emit("/lab", "echo", []), Emit("/lab", name, []))
    assert await answer(client, "echo", 1, namespace="/lab") == [1]


@pytest.mark.parametrize("conformance", [False, True])
async def test_the_reference_server_is_known_by_its_name(
    conformance: bool, reference: Reference, connect: Connect, transport: str
) -> None:
    server = await reference(conformance=conformance)
    client = await connect(server.url, transport=transport)
    assert client.is_known_to_answer(Emit("/", "anything", [])) is not conformance


async def test_binary_data_is_echoed(reference: Reference, connect: Connect, transport: str) -> None:
    server = await reference()
    client = await connect(server.url, "/lab", transport=transport)
    args = [b"\0\1\xff", {"deep": [b""]}, "ü\ud800\x1e", 2**53 + 1]
    assert await answer(client, "echo", *args, namespace="/lab") == args


async def test_concurrent_emits_keep_their_attachments(
    reference: Reference, connect: Connect, transport: str
) -> None:
    server = await reference()
    client = await connect(server.url, "/lab", transport=transport)
    blobs = [[bytes([n]) * 2000, bytes([n])] for n in range(20)]
    answers = await asyncio.gather(*(answer(client, "echo", *each, namespace="/lab") for each in blobs))
    assert answers == blobs


async def test_an_event_of_the_server_is_acknowledged(
    stack: AsyncExitStack, connect: Connect, transport: str
) -> None:
    url, server = await stack.enter_async_context(stock(lambda _sid, _environ, _auth: None))
    client = await connect(url, transport=transport, watch=True)
    asked = asyncio.ensure_future(server.call("question", ("why", b"\1"), to=client.namespaces["/"]))
    question = (await until(client, event="question"))[-1]
    assert (question.args, asked.done()) == (["why", b"\1"], False)
    await client.acknowledge(Acknowledge("/", question.id or 0, ["because", b"\2"]))
    assert await asked == ("because", b"\2")


async def test_an_event_that_arrives_before_the_client_is_ready_is_acknowledged() -> None:
    received: list[str | bytes] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.send('421["ask"]')
        received.append(await talk.receive())
        await talk.close(1000)

    async with bad.conversation(script) as url:
        rules = {"ask": Rule(["yes"])}
        client = Client(Target(url=url, reconnect=False), watch=True, rules=rules)
        await asyncio.gather(client.connect(), until(client, kind="ack"))
        await client.close()
    assert received == ['431["yes"]']


# The end


async def test_the_server_may_end_one_namespace(reference: Reference, connect: Connect) -> None:
    server = await reference()
    said: list[str] = []
    client = await connect(server.url, "/lab", "/chat", say=said.append, watch=True)
    (waiting,) = await client.ask(Emit("/lab", "never", []))
    await client.emit(Emit("/lab", "kick", []))
    with pytest.raises(LostError, match="disconnected us from /lab"):
        await waiting
    assert list(client.namespaces) == ["/chat"]
    assert said[-1] == "the server disconnected us from /lab"
    assert (await answer(client, "rooms", namespace="/chat"))[0]["ok"]


async def test_the_server_ends_the_only_namespace(
    reference: Reference, connect: Connect, transport: str
) -> None:
    server = await reference()
    client = await connect(server.url, "/lab", transport=transport, watch=True)
    await client.emit(Emit("/lab", "kick", []))
    with pytest.raises(LostError, match="disconnected us from every namespace"):
        await until(client, kind="never")


async def _stuck(talk: bad.Conversation) -> None:
    await talk.welcome()
    await asyncio.Event().wait()


@pytest.mark.parametrize("peer", [lambda: bad.conversation(_stuck), lambda: bad.sends()])
async def test_closing_ends_in_time(peer: Any, stack: AsyncExitStack, connect: Connect) -> None:
    client = await connect(await stack.enter_async_context(peer()))
    (waiting,) = await client.ask(Emit("/", "x", []))
    began = time.monotonic()
    await client.close()
    assert time.monotonic() - began < WAIT
    with pytest.raises(LostError, match="the connection is closed"):
        await waiting
    with pytest.raises(LostError, match="not connected"):
        await client.emit(Emit("/", "x", []))


async def test_closing_a_stuck_poll_ends_in_time(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    client = await connect(await stack.enter_async_context(polling.listening()), transport="polling")
    began = time.monotonic()
    await client.close()
    assert time.monotonic() - began < WAIT
    assert polling.posts == ["41", "1"]


async def test_closing_twice_or_unconnected(reference: Reference, connect: Connect) -> None:
    await make("http://127.0.0.1:1").close()
    client = await connect((await reference()).url)
    await client.close()
    await client.close()


async def test_events_sent_before_closing_arrive(
    stack: AsyncExitStack, connect: Connect, transport: str
) -> None:
    url, server = await stack.enter_async_context(stock(lambda _sid, _environ, _auth: None))
    seen: list[Any] = []
    ended = asyncio.Event()
    server.on("n", lambda _sid, n: seen.append(n))
    server.on("disconnect", lambda _sid, _reason: ended.set())
    client = await connect(url, transport=transport)
    await client.emit(*(Emit("/", "n", [n]) for n in range(200)))
    await client.close()
    async with asyncio.timeout(WAIT):
        await ended.wait()
    assert sorted(seen) == [*range(200)]


async def test_work_ends_with_the_connection(stack: AsyncExitStack, connect: Connect) -> None:
    url = await stack.enter_async_context(bad.resets_after_receiving(0))
    client = await connect(url, reconnect=False)
    (waiting,) = await client.ask(Emit("/", "x", []))
    with pytest.raises(LostError, match="the connection ended"):
        await client.guard(asyncio.Event().wait())
    with pytest.raises(LostError):
        await waiting


async def test_guarded_work_returns_its_result_or_raises_its_error(
    reference: Reference, connect: Connect
) -> None:
    client = await connect((await reference()).url)
    assert await client.guard(answer(client, "rooms"))

    async def fail() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError):
        await client.guard(fail())
    guarded = asyncio.ensure_future(client.guard(asyncio.Event().wait()))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(LostError, match="closed"):
        await guarded


@pytest.mark.parametrize("protocol", ["auto", "3"])
@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (4003, "kicked by ann", "code 4003: kicked by ann"),
        (1009, "", "code 1009: a message was too big for the server (its maxHttpBufferSize) or a gateway"),
        (1008, "no token", "code 1008: no token: a rule of the server or of a gateway forbids it"),
        (1000, "", "code 1000"),
    ],
)
async def test_who_closed_and_why(
    protocol: str, code: int, reason: str, told: str, stack: AsyncExitStack
) -> None:
    async def script(talk: bad.Conversation) -> None:
        if protocol == "3":
            await talk.send("0" + json.dumps(bad.OPEN), "40")
        else:
            await talk.welcome()
        await talk.close(code, reason)

    url = await stack.enter_async_context(bad.conversation(script))
    client = make(url, watch=True, transport="websocket", protocol=protocol, reconnect=False)
    stack.push_async_callback(client.close)
    await client.connect()
    with pytest.raises(LostError) as raised:
        await until(client, kind="never")
    assert str(raised.value) == f"the connection ended (transport close, {told})"
