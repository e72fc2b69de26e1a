"""The messages of `@socket.io/redis-adapter`."""

import json
from typing import Any

import pytest

from nsroom.errors import DecodeError
from nsroom.introspection.redis.adapter import Subscription
from nsroom.introspection.redis.classic import ClassicAdapter, find
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.protocol import messagepack

ADAPTER = ClassicAdapter("socket.io", "/chat", "nsroom-1")
EVENT = {"type": 2, "data": ["hello"], "nsp": "/chat"}


def request(**fields: Any) -> bytes:
    return json.dumps({"uid": "other", **fields}).encode()


def test_the_servers_are_found_by_their_channels() -> None:
    channels = ["socket.io-request#/#", "my-app-request#/a#b#", "socket.io-response#/#", "x-request#", "news"]
    assert find(channels, "u") == [
        ClassicAdapter("socket.io", "/", "u"),
        ClassicAdapter("my-app", "/a#b", "u"),
    ]


def test_the_channel_of_requests_is_only_read_by_pattern() -> None:
    """Else the servers would count nsroom, and wait for its answers."""
    assert ClassicAdapter("a*", "/[b]", "u").subscriptions() == [
        Subscription("subscribe", "a*-response#/[b]#"),
        Subscription("subscribe", "a*-response#/[b]#u#"),
        Subscription("psubscribe", r"a\*#/\[b\]#*"),
        Subscription("psubscribe", r"a\*\-request#/\[b\]#"),
    ]


def test_requests() -> None:
    everyone = {"rooms": [], "except": [], "flags": {}}
    expected = {
        ADAPTER.fetch("nsroom-1-1"): {"type": 5, "requestId": "nsroom-1-1", "opts": everyone},
        ADAPTER.join("lobby", "s1"): {"type": 2, "opts": {**everyone, "rooms": ["s1"]}, "rooms": ["lobby"]},
        ADAPTER.leave(7, ["a", "b"]): {"type": 3, "opts": {**everyone, "rooms": ["a", "b"]}, "rooms": [7]},
        ADAPTER.disconnect(None): {"type": 4, "opts": everyone, "close": False},
    }
    for (command, channel, text), wanted in expected.items():
        assert (command, channel) == ("PUBLISH", "socket.io-request#/chat#")
        assert json.loads(text) == {"uid": "nsroom-1", **wanted}
    assert ADAPTER.count() == ("PUBSUB NUMSUB", "socket.io-request#/chat#")


def test_an_event() -> None:
    command, channel, data = ADAPTER.emit("lobby", "hello", [b"\x00", 1])
    assert (command, channel) == ("PUBLISH", "socket.io#/chat#")
    assert isinstance(data, bytes)
    assert messagepack.load(data) == [
        "nsroom-1",
        {"type": 2, "data": ["hello", b"\x00", 1], "nsp": "/chat"},
        {"rooms": ["lobby"], "except": [], "flags": {}},
    ]


@pytest.mark.parametrize("channel", ["socket.io-response#/chat#", "socket.io-response#/chat#nsroom-1#"])
def test_a_reply_to_us(channel: str) -> None:
    described = {"requestId": "nsroom-1-1", "sockets": [{"id": "s1", "rooms": ["s1"]}]}
    reply = ADAPTER.read(channel, json.dumps(described).encode())
    assert reply is not None
    assert not isinstance(reply, Broadcast)
    assert (reply.request, [each.key for each in reply.sockets], reply.server) == (
        "nsroom-1-1",
        [("/chat", "s1")],
        None,
    )


def test_replies_to_others_are_not_even_read() -> None:
    assert ADAPTER.read("socket.io-response#/chat#", b'{"requestId":"abc","sockets":[') is None


@pytest.mark.parametrize("channel", ["socket.io#/chat#", "socket.io#/chat#lobby#"])
def test_an_event_for_several_clients(channel: str) -> None:
    data = messagepack.dump(["other", EVENT, {"rooms": ["lobby"], "except": ["s1"]}])
    assert ADAPTER.read(channel, data) == Broadcast("/chat", "hello", [], ["lobby"], ["s1"])


def test_an_event_that_wants_acknowledgements_is_a_request() -> None:
    data = messagepack.dump({"uid": "other", "type": 7, "packet": EVENT, "opts": {"rooms": ["lobby"]}})
    assert ADAPTER.read("socket.io-request#/chat#", data) == Broadcast("/chat", "hello", [], ["lobby"], [])


def test_what_is_not_for_tail() -> None:
    own = messagepack.dump(["nsroom-1", EVENT, {"rooms": []}])
    assert ADAPTER.read("socket.io#/chat#", own) is None
    assert ADAPTER.read("socket.io-request#/chat#", request(type=1)) is None
    assert ADAPTER.read("socket.io#/other#", b"anything") is None


@pytest.mark.parametrize(
    ("channel", "data"),
    [
        ("socket.io-request#/chat#", request(type=99)),
        ("socket.io-request#/chat#", b"nonsense"),
        ("socket.io-request#/chat#", request(type=[5])),
        ("socket.io-request#/chat#", request(type=7)),
        ("socket.io#/chat#", b"nonsense"),
        ("socket.io#/chat#", messagepack.dump({"a": 1})),
        ("socket.io#/chat#", messagepack.dump(["other", None, None])),
        ("socket.io-response#/chat#", b'{"requestId":["nsroom-1"]}'),
        ("socket.io-response#/chat#", b'{"requestId":"nsroom-1-1","sockets":7}'),
    ],
)
def test_formats_that_are_not_known(channel: str, data: bytes) -> None:
    with pytest.raises(DecodeError):
        ADAPTER.read(channel, data)
