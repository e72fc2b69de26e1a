"""The messages of the sharded and the streams adapter."""

import base64
import json
from typing import Any

import pytest

from nsroom.errors import DecodeError
from nsroom.introspection.redis.adapter import Command, Subscription
from nsroom.introspection.redis.clustered import (
    ShardedAdapter,
    ShardedStreamsAdapter,
    StreamsAdapter,
    find_sharded,
    find_streams,
    keys,
    stream_names,
)
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.protocol import messagepack

SERVER = "0123456789abcdef"
SHARDED = ShardedAdapter("socket.io", "/chat", "u")
STREAMS = StreamsAdapter("socket.io", "/chat", "u")
EVERYONE = {"rooms": [], "except": [], "flags": {}}
EVENT = {"packet": {"type": 2, "data": ["hello"], "nsp": "/chat"}, "opts": {"rooms": ["lobby"], "except": []}}
HEARD = Broadcast("/chat", "hello", [], ["lobby"], [])


def content(command: Command) -> Any:
    assert isinstance(command[-1], bytes)
    return messagepack.load(command[-1])


def message(kind: int, data: Any, **fields: Any) -> bytes:
    return json.dumps({"uid": SERVER, "nsp": "/chat", "type": kind, "data": data, **fields}).encode()


def test_servers_are_found_where_they_ask_and_are_answered() -> None:
    channels = {
        *("socket.io#/#", f"socket.io#/#{SERVER}#", "app#/chat#", f"app#/chat#{SERVER}#"),
        *("app#/chat#lobby#", "app#/chat#a#b#", "socket.io-request#/#", "socket.io-response#/#"),
        *(f"socket.io-response#/#{SERVER}#", "other#/#", "news"),
    }
    sharded = find_sharded(channels, "u", {})
    assert sharded == [ShardedAdapter("app", "/chat", "u"), ShardedAdapter("socket.io", "/", "u")]
    assert [each.rooms for each in sharded if isinstance(each, ShardedAdapter)] == [
        ("app#/chat#a#b#", "app#/chat#lobby#"),
        (),
    ]
    streams = find_streams(channels, "u", {"app": ["app"]})
    assert [(each.key, each.streams) for each in streams] == [("app", ("app",)), ("socket.io", ())]
    # Only the streams adapter has streams, and only the sharded one has channels of rooms.
    both = find_sharded(channels, "u", {"app": ["app"], "socket.io": ["socket.io"]})
    assert both == [ShardedAdapter("app", "/chat", "u"), ShardedStreamsAdapter("socket.io", "/", "u")]
    assert keys(channels) == {"app", "socket.io"}


def test_the_channel_of_questions_is_not_subscribed_to_by_name() -> None:
    """Else the servers would count nsroom, and wait for its answers."""
    own = "socket.io#/chat#u#"
    lobby = "socket.io#/chat#lobby#"
    assert ShardedAdapter("socket.io", "/chat", "u", rooms=(lobby,)).subscriptions() == [
        Subscription("ssubscribe", own),
        Subscription("ssubscribe", lobby),
    ]
    assert STREAMS.subscriptions() == [
        Subscription("subscribe", own),
        Subscription("psubscribe", "socket.io#/chat#"),
    ]
    assert ShardedStreamsAdapter("socket.io", "/chat", "u").subscriptions() == [
        Subscription("ssubscribe", own)
    ]


@pytest.mark.parametrize(
    ("adapter", "publish", "number"),
    [
        (SHARDED, "SPUBLISH", "PUBSUB SHARDNUMSUB"),
        (STREAMS, "PUBLISH", "PUBSUB NUMSUB"),
        (ShardedStreamsAdapter("socket.io", "/chat", "u"), "SPUBLISH", "PUBSUB SHARDNUMSUB"),
    ],
)
def test_questions_and_actions(adapter: ShardedAdapter | StreamsAdapter, publish: str, number: str) -> None:
    expected = {
        adapter.fetch("r1"): (7, {"requestId": "r1", "opts": EVERYONE}),
        adapter.join("lobby", "s1"): (4, {"opts": {**EVERYONE, "rooms": ["s1"]}, "rooms": ["lobby"]}),
        adapter.leave(7, ["a", "b"]): (5, {"opts": {**EVERYONE, "rooms": ["a", "b"]}, "rooms": [7]}),
        adapter.disconnect(None): (6, {"opts": EVERYONE, "close": False}),
        adapter.emit(None, "hello", [b"x"]): (
            3,
            {"packet": {"type": 2, "data": ["hello", b"x"], "nsp": "/chat"}, "opts": EVERYONE},
        ),
    }
    for command, (kind, data) in expected.items():
        assert command[:2] == (publish, "socket.io#/chat#")
        assert content(command) == {"uid": "u", "nsp": "/chat", "type": kind, "data": data}
    assert adapter.count() == (number, "socket.io#/chat#")


def test_an_event_goes_to_the_stream_if_there_is_one() -> None:
    adapter = StreamsAdapter("socket.io", "/chat", "u", streams=("socket.io",))
    command = adapter.emit("lobby", "hello", [])
    assert command[:-1] == (*("XADD", "socket.io", "*", "uid", "u", "nsp", "/chat", "type", "3", "data"),)
    fields = {"uid": "u", "nsp": "/chat", "type": "3", "data": bytes(command[-1]).decode()}  # type: ignore[arg-type]
    assert StreamsAdapter("socket.io", "/chat", "another").read_entry(fields) == HEARD
    assert adapter.read_entry(fields) is None


@pytest.mark.parametrize("adapter", [SHARDED, STREAMS])
def test_a_reply_names_its_server(adapter: ShardedAdapter | StreamsAdapter) -> None:
    sockets = [{"id": "s1", "rooms": ["s1"]}]
    reply = adapter.read("socket.io#/chat#u#", message(8, {"requestId": "r1", "sockets": sockets}))
    assert reply is not None
    assert not isinstance(reply, Broadcast)
    assert (reply.request, reply.server) == ("r1", SERVER)
    assert [(each.key, each.server) for each in reply.sockets] == [(("/chat", "s1"), SERVER)]


def test_events_for_clients() -> None:
    assert SHARDED.read("socket.io#/chat#lobby#", message(3, EVENT)) == HEARD
    assert STREAMS.read("socket.io#/chat#", messagepack.dump(json.loads(message(3, EVENT)))) == HEARD
    assert STREAMS.read("socket.io#/chat#", message(3, EVENT, uid="u")) is None
    assert STREAMS.read("socket.io#/chat#", message(7, {})) is None


def test_entries_of_a_stream() -> None:
    fields = {"uid": SERVER, "nsp": "/chat", "type": "3"}
    packed = base64.b64encode(messagepack.dump(EVENT)).decode()
    assert STREAMS.read_entry({**fields, "data": json.dumps(EVENT)}) == HEARD
    assert STREAMS.read_entry({**fields, "data": packed}) == HEARD
    assert STREAMS.read_entry({**fields, "type": "2"}) is None


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense",
        message(99, {}),
        message(3, {}),
        message(3, EVENT, nsp=7),
        message(3, {**EVENT, "opts": None}),
        messagepack.dump([1]),
    ],
)
def test_formats_that_are_not_known(data: bytes) -> None:
    with pytest.raises(DecodeError):
        STREAMS.read("socket.io#/chat#", data)


@pytest.mark.parametrize(
    "data", [message(7, {}), message(8, {"requestId": 1}), message(8, {"requestId": "r", "sockets": None})]
)
def test_replies_that_are_not_known(data: bytes) -> None:
    with pytest.raises(DecodeError):
        STREAMS.read("socket.io#/chat#u#", data)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "x"},
        {"type": "3" * 10_000},
        {"type": "99"},
        {"type": "3", "nsp": "/"},
        {"type": "3", "nsp": "/", "data": "{"},
        {"type": "3", "nsp": "/", "data": "***"},
        {"type": "3", "nsp": "/", "data": "wQ=="},
    ],
)
def test_entries_that_are_not_known(fields: dict[str, str]) -> None:
    with pytest.raises(DecodeError):
        STREAMS.read_entry(fields)


def test_the_room_of_a_channel() -> None:
    assert SHARDED.room_of("socket.io#/chat#a#b#") == "a#b"
    assert SHARDED.room_of("socket.io#/chat#u#") is None


def test_the_names_of_streams() -> None:
    adapter = StreamsAdapter("app", "/", "u")
    names = adapter.streams_to_read(is_cluster=False)
    assert names == stream_names("app")
    assert names[0] == "app"
    assert {"app-0", "app-15", "app--15"} < set(names)
    assert adapter.streams_to_read(is_cluster=True) == ["app"]
    assert SHARDED.streams_to_read(is_cluster=False) == []
