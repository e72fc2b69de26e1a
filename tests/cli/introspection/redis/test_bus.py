"""What the servers of `nsroom serve --redis` keep in Redis."""

import base64
import json
from typing import Any

import pytest

from nsroom.errors import DecodeError
from nsroom.introspection.inventory import Feature, Socket
from nsroom.introspection.redis.bus import Bus, sockets
from nsroom.introspection.redis.payloads import Broadcast

BUS = Bus("nsroom", "", "u")


def entry(
    kind: str, data: Any, number: str = "0", namespace: str = "/chat", room: str = "lobby"
) -> dict[str, str]:
    text = data if isinstance(data, str) else json.dumps(data)
    return {"row": "\n".join(["12", "server", "3", number, kind, namespace, room, "", text])}


def event(text: str, *binary: str, **fields: Any) -> dict[str, Any]:
    return {"to": ["lobby"], "skip": ["s1"], "text": text, "binary": list(binary), **fields}


def test_the_bus_is_only_read() -> None:
    assert BUS.features == {Feature.ALL_EVENTS}
    assert BUS.subscriptions() == []
    assert BUS.streams_to_read(is_cluster=False) == ["nsroom:bus"]
    assert BUS.read("nsroom:bus:0", b"anything") is None


def test_sockets_are_the_members_of_rooms() -> None:
    members = [
        ("/chat\nlobby\ns1", '"ann"'),
        ("/chat\nops\ns1", '"ann"'),
        ("/\nlobby\ns2", "null"),
        ("odd", ""),
    ]
    assert sockets("server", members) == {
        ("/chat", "s1"): Socket(
            "/chat",
            "s1",
            frozenset({"s1", "lobby", "ops"}),
            data={"nick": "ann"},
            server="server",
            is_described=True,
        ),
        ("/", "s2"): Socket("/", "s2", frozenset({"s2", "lobby"}), server="server", is_described=True),
    }
    assert sockets("server", [("/\na\ns", "{")])["/", "s"].data is None


def test_a_message() -> None:
    body = {"text": "hi", "room": "lobby"}
    heard = Broadcast("/chat", "message", [{"id": 7, **body}], ["lobby"])
    assert BUS.read_entry(entry("m", body, number="7")) == heard


def test_an_event() -> None:
    data = event('2/chat,["note",1]')
    assert BUS.read_entry(entry("e", data)) == Broadcast("/chat", "note", [1], ["lobby"], ["s1"])
    everyone = event('2/chat,["note"]', to=None, skip=[])
    assert BUS.read_entry(entry("e", everyone)) == Broadcast("/chat", "note", [], [], [])
    attached = base64.b64encode(b"\x00").decode()
    binary = event('51-/chat,["note",{"_placeholder":true,"num":0}]', attached)
    assert BUS.read_entry(entry("e", binary)) == Broadcast("/chat", "note", [b"\x00"], ["lobby"], ["s1"])


@pytest.mark.parametrize("kind", ["j", "l", "q", "r", "w", "g"])
def test_what_is_not_for_tail(kind: str) -> None:
    assert BUS.read_entry(entry(kind, "anything")) is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"row": "1\n2"},
        entry("x", {}),
        entry("m", "{"),
        entry("m", [], number="7"),
        entry("m", {}, number="seven"),
        entry("m", {}, number="9" * 1000),
        entry("e", "{"),
        entry("e", {}),
        entry("e", event("2")),
        entry("e", event("0/chat,{}")),
        entry("e", event('2/chat,["note"]', to="lobby")),
        entry("e", event('2/chat,["note"]', skip=None)),
        entry("e", event('2/chat,["note"]', "AAAA")),
        entry("e", event('51-/chat,["note",{"_placeholder":true,"num":0}]', "***")),
    ],
)
def test_formats_that_are_not_known(fields: dict[str, str]) -> None:
    with pytest.raises(DecodeError):
        BUS.read_entry(fields)
