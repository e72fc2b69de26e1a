"""Messages and events between servers, while Redis answers and while it does not."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from nsroom_server.app import serving
from nsroom_server.chat.delivery import message_packets
from nsroom_server.cluster.delivery import decode_packet, encode_packet, event_entry
from nsroom_server.cluster.entries import Op
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.packet import Packet, PacketType
from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import Servers, accepts_messages, join_lobby, say, stored_ids, until
from tests.server.member import Connect

SOON = 3.0
"""Seconds that suffice for whatever does not wait for Redis."""


VALUES = st.none() | st.integers(0, 9) | st.text() | st.binary()
ARGUMENTS = st.lists(VALUES | st.lists(VALUES, max_size=2), max_size=4)


@given(ARGUMENTS)
def test_packets_as_json(arguments: list[Any]) -> None:
    fields = json.loads(json.dumps(encode_packet(Packet(PacketType.EVENT, ["x", *arguments]).encode())))
    assert decode_packet(fields, Limits()).arguments == ["x", *arguments]


@pytest.mark.parametrize(
    ("namespace", "text"),
    [("/", '42["message",{"id":7,"text":"é"}]'), ("/chat", '42/chat,["message",{"id":7,"text":"é"}]')],
)
def test_the_packet_of_a_message(namespace: str, text: str) -> None:
    assert [packet.text for packet in message_packets(namespace, 7, '{"text":"é"}')] == [text]


def test_the_entry_of_an_event() -> None:
    entry = event_entry("/chat", ('51-["x",…]', b"\x00"), to=["lobby"], skip=["quiet"])
    assert (entry.op, entry.namespace) == (Op.EVENT, "/chat")
    assert json.loads(entry.data) == {
        "to": ["lobby"],
        "skip": ["quiet"],
        "text": '51-["x",…]',
        "binary": ["AA=="],
    }


async def test_a_message_without_a_room(servers: Servers, connect: Connect) -> None:
    running = await servers(3)
    members = [await connect(each, "/chat") for each in (*running, running[0])]
    await connect(running[1])
    assert await members[0].call("message", "hello", namespace="/chat") == {"ok": True, "recipients": 4}
    for member in members:
        message = await member.next("message")
        assert (message["id"], message["room"], message["text"]) == (None, None, "hello")


async def test_an_event_with_binary_and_skipped_rooms(
    servers: Servers, connect: Connect, transport: str
) -> None:
    running = await servers(2)
    ann, bob = await join_lobby(connect, running, transport=transport)
    eve = await connect(running[1], transport=transport)
    await eve.call("join", "lobby")
    await eve.call("join", "quiet")
    relayed = {
        "event": "blob",
        "args": [{"data": b"\x00\xff", "$binary": "x"}],
        "to": "lobby",
        "except": "quiet",
    }
    assert await ann.call("emit", relayed) == {"ok": True, "recipients": 2}
    for member in (ann, bob):
        assert await member.next("blob") == {"data": b"\x00\xff", "$binary": "x"}
    assert "blob" not in dict(await eve.settled())


async def test_an_event_too_large_for_a_queue_is_refused(
    stack: AsyncExitStack, bus: Valkey, connect: Connect
) -> None:
    config = Config(port=0, redis=bus.url, drain=1, limits=Limits(queued_bytes=10_000))
    running = [await stack.enter_async_context(serving(config)) for _ in range(2)]
    ann, far = await join_lobby(connect, running)
    too_large = {"event": "x", "args": ["x" * 10_000], "to": "lobby"}
    assert (await ann.call("emit", too_large))["error"] == "too_large"
    assert (await ann.call("emit", {"event": "x", "args": [1], "to": "lobby"}))["ok"]
    assert await far.next("x") == 1


@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_messages_with_any_text(
    servers: Servers, connect: Connect, transport: str, namespace: str
) -> None:
    members = [await connect(each, namespace, transport=transport) for each in await servers(2)]
    for member in members:
        await member.call("join", "lobby", namespace=namespace)
    texts = ["plain", 'quoted " \\ \n \x1e \x7f \u2028', "é 漢 😀", "half \ud83d"]
    for text in texts:
        message = {"room": "lobby", "text": text, "key": [None, {"a": 1.5}]}
        assert (await members[0].call("message", message, namespace=namespace))["ok"]
    for member in members:
        messages = [await member.next("message") for _ in texts]
        assert [message["text"] for message in messages] == texts
        assert [message["key"] for message in messages] == [[None, {"a": 1.5}]] * len(texts)
        answer = await member.call("history", "lobby", namespace=namespace)
        assert answer["history"] == messages


async def test_an_outage_affects_only_other_servers(bus: Valkey, servers: Servers, connect: Connect) -> None:
    running = await servers(2)
    ann, far = await join_lobby(connect, running)
    near = await connect(running[0])
    await near.call("join", "lobby")
    await far.next("join-room")
    bus.pause()
    started = time.monotonic()
    waiting = asyncio.create_task(ann.call("emit", {"event": "x", "args": [1], "to": "lobby"}))
    assert await near.next("x") == 1
    assert time.monotonic() - started < SOON
    assert (await waiting)["error"] == "bus_unavailable"

    started = time.monotonic()
    assert (await ann.call("message", {"room": "lobby", "text": "alone"}))["error"] == "bus_unavailable"
    message = await near.next("message")
    assert (message["id"], message["text"]) == (None, "alone")
    assert (await ann.call("join", "other"))["error"] == "bus_unavailable"
    assert (await ann.call("nick", "ann"))["error"] == "bus_unavailable"
    assert (await ann.call("who", "lobby"))["count"] == 3
    assert time.monotonic() - started < SOON

    bus.resume()
    await until(accepts_messages(ann, "again"))
    (message,) = (await far.call("history", "lobby"))["history"]
    assert (message["id"], message["text"], message["nick"]) == (1, "again", None)
    assert [item for event, item in await far.settled() if event in ("x", "message")] == [message]


async def test_messages_wait_out_a_short_outage(bus: Valkey, servers: Servers, connect: Connect) -> None:
    ann, bob = await join_lobby(connect, await servers(2))
    bus.pause()
    calls = [ann.call("message", {"room": "lobby", "text": str(number)}) for number in range(20)]
    waiting = asyncio.gather(*calls)
    await asyncio.sleep(0.5)
    bus.resume()
    assert [answer["id"] for answer in await waiting] == list(range(1, 21))
    assert [(await bob.next("message"))["text"] for _ in range(20)] == [str(number) for number in range(20)]


async def test_a_full_redis_is_an_outage(servers: Servers, connect: Connect, redis: Redis) -> None:
    ann, far = [await connect(running) for running in await servers(2)]
    await say(ann, "lobby", "before")
    await far.call("join", "lobby")
    await redis.config_set("maxmemory", "1mb")
    calls = [ann.call("message", {"room": "lobby", "text": text}) for text in "abcdefghij"]
    answers = await asyncio.gather(*calls)
    assert {answer["error"] for answer in answers} == {"bus_unavailable"}
    assert (await ann.next("message"))["id"] == 1
    local = [await ann.next("message") for _ in range(10)]
    assert [(message["id"], message["text"]) for message in local] == [(None, text) for text in "abcdefghij"]
    assert await stored_ids(ann, "lobby") == [1]

    await redis.config_set("maxmemory", "0")
    await until(accepts_messages(ann, "after"), seconds=15)
    message = await far.next("message")
    assert (message["id"], message["text"]) == (2, "after")
