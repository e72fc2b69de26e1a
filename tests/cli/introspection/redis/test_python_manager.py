"""The messages of python-socketio's Redis manager."""

import json
import pickle
from typing import Any

import pytest

from nsroom.errors import DecodeError, RefusedError
from nsroom.introspection.redis.adapter import Subscription
from nsroom.introspection.redis.payloads import Broadcast
from nsroom.introspection.redis.python_manager import PythonManager, find
from nsroom.record import Json

SID = "4xT7bRk0nbZ1mQYzAAAB"
MANAGER = PythonManager("socketio", "", "u")
CHAT = MANAGER.within("/chat")


def emitted(data: Json, **fields: Json) -> bytes:
    message = {"method": "emit", "event": "hello", "data": data, "namespace": "/chat", "host_id": "other"}
    return json.dumps({**message, **fields}).encode()


def read(data: bytes) -> Any:
    return MANAGER.read("socketio", data)


def test_the_servers_are_found_by_their_channel() -> None:
    assert find({"socketio": 2, "flask-socketio": 0}, "u") == [MANAGER]
    assert MANAGER.subscriptions() == [Subscription("subscribe", "socketio")]
    assert MANAGER.within("/chat").namespace == "/chat"


def test_actions() -> None:
    expected = {
        CHAT.join(7, SID): {"method": "enter_room", "sid": SID, "room": 7},
        CHAT.leave("lobby", SID): {"method": "leave_room", "sid": SID, "room": "lobby"},
        CHAT.disconnect(SID): {"method": "disconnect", "sid": SID},
    }
    for (command, channel, text), wanted in expected.items():
        assert (command, channel) == ("PUBLISH", "socketio")
        assert json.loads(text) == {**wanted, "namespace": "/chat", "host_id": "u"}


@pytest.mark.parametrize("where", [None, "lobby", 7, [SID, SID]])
def test_only_a_socket_can_be_acted_on(where: Any) -> None:
    for action in (
        CHAT.disconnect,
        lambda where: CHAT.join("ops", where),
        lambda where: CHAT.leave(1, where),
    ):
        with pytest.raises(RefusedError, match="acts on one socket by its sid, not on a room: "):
            action(where)


@pytest.mark.parametrize("where", [None, "lobby", ["a", 7]])
@pytest.mark.parametrize("args", [[], ["x"], [[1], {"a": b"\x00\x01"}, b""]])
def test_what_is_emitted_can_be_read(where: Any, args: list[Json]) -> None:
    data = str(CHAT.emit(where, "hello", args)[-1]).encode()
    assert read(data) is None
    to = [] if where is None else where if isinstance(where, list) else [where]
    other = PythonManager("socketio", "", "another")
    assert other.read("socketio", data) == Broadcast("/chat", "hello", args, to, [])


@pytest.mark.parametrize(
    ("data", "args"),
    [(["x", 1], ["x", 1]), ("x", ["x"]), ({"a": 1}, [{"a": 1}]), (None, [None]), ([], [])],
)
def test_events(data: Json, args: list[Json]) -> None:
    heard = Broadcast("/chat", "hello", args, ["lobby"], [SID])
    assert read(emitted(data, room="lobby", skip_sid=SID)) == heard
    assert read(emitted(data, room=["a", "b"], skip_sid=None)).rooms == ["a", "b"]


@pytest.mark.parametrize("method", ["callback", "disconnect", "enter_room", "leave_room", "close_room"])
def test_other_messages_are_not_for_tail(method: str) -> None:
    assert read(json.dumps({"method": method}).encode()) is None


PLACEHOLDER = {"_placeholder": True, "num": 0}


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense",
        b"{}",
        json.dumps({"method": "unknown"}).encode(),
        emitted([], event=None),
        emitted([], namespace=None),
        emitted([], skip_sid=["a"] * 10_001),
        emitted("x", binary=True),
        emitted([[PLACEHOLDER]], binary=True),
        emitted([[PLACEHOLDER], "***"], binary=True),
        emitted([[PLACEHOLDER], 7], binary=True),
        emitted([[PLACEHOLDER, PLACEHOLDER], "AAAA"], binary=True),
        emitted([[{"_placeholder": True, "num": -1}], "AAAA"], binary=True),
    ],
)
def test_formats_that_are_not_known(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read(data)


class Harmful:
    """Would end the process when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_pickles_are_not_read() -> None:
    with pytest.raises(DecodeError, match=r"pickled, as by versions before 5\.14"):
        read(pickle.dumps({"method": Harmful()}))
