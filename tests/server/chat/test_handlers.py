"""The contract's table of events, row by row, over each transport."""

from pathlib import Path
from typing import Any

import pytest

from nsroom_server.settings.limits import Limits
from tests.server.member import Connect, Serve

JOINS = ("join", "room", "subscribe", "join_room", "joinRoom")
LEAVES = ("leave", "unsubscribe", "leave_room")


@pytest.mark.parametrize("event", JOINS)
@pytest.mark.parametrize("arg", ["lobby", {"room": "lobby"}])
async def test_join(serve: Serve, connect: Connect, event: str, arg: Any) -> None:
    ann = await connect(await serve())
    answer = await ann.call(event, arg)
    assert answer.pop("epoch")
    members = [{"sid": ann.sid, "nick": None}]
    assert answer == {
        "ok": True,
        "room": "lobby",
        "count": 1,
        "members": members,
        "history": [],
        "last": 0,
        "gap": None,
    }


async def test_join_with_a_nick_and_what_was_missed(
    serve: Serve, connect: Connect, transport: str, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db")
    ann = await connect(running, transport=transport)
    await ann.call("join", "lobby")
    for text in ("one", "two", "three"):
        await ann.call("message", {"room": "lobby", "text": text})
    bob = await connect(running, transport=transport)
    answer = await bob.call("join", {"room": "lobby", "nick": "bob", "after": 1})
    assert [(entry["id"], entry["text"]) for entry in answer["history"]] == [(2, "two"), (3, "three")]
    assert answer["members"] == [{"sid": ann.sid, "nick": None}, {"sid": bob.sid, "nick": "bob"}]


@pytest.mark.parametrize("event", LEAVES)
async def test_leave(serve: Serve, connect: Connect, event: str) -> None:
    ann = await connect(await serve())
    await ann.call("join", "lobby")
    assert await ann.call(event, "lobby") == {"ok": True, "room": "lobby"}
    assert (await ann.call(event, {"room": "lobby"}))["error"] == "not_a_member"


async def test_a_message_without_a_room(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve()
    ann, bob = [await connect(running, "/chat", transport=transport) for _ in range(2)]
    eve = await connect(running, transport=transport)
    await ann.call("nick", "ann")
    assert await ann.call("message", "hello") == {"ok": True, "recipients": 2}
    for member in (ann, bob):
        message = await member.next("message")
        assert message.pop("time").endswith("Z")
        assert message == {"id": None, "room": None, "from": ann.sid, "nick": "ann", "text": "hello"}
    assert all(event != "message" for event, _ in await eve.settled())
    assert (await ann.call("history", "lobby"))["last"] == 0


async def test_a_message_without_a_room_is_bounded(serve: Serve, connect: Connect) -> None:
    running = await serve(limits=Limits(queued_bytes=1000))
    ann = await connect(running)
    assert (await ann.call("message", "x" * 1000))["error"] == "too_large"


SHAPES = {
    "join": 'a room or {"room": …, "nick": …, "after": …}',
    "leave": 'a room or {"room": …}',
    "message": '{"room": …, "text": …} or text',
    "emit": '{"event": …, "args": […], "to": …, "except": …}',
    "who": 'a room or {"room": …}',
    "nick": 'a nick or {"nick": …}',
    "history": 'a room or {"room": …, "after": …, "limit": …}',
    "delay": '{"ms": …}',
    "binary": 'binary data or {"size": …}',
    "flood": '{"count": …, "size": …}',
    "ask": '{"event": …, "args": […]}',
}


@pytest.mark.parametrize("event", SHAPES)
async def test_a_refusal_says_what_the_event_wants(serve: Serve, connect: Connect, event: str) -> None:
    ann = await connect(await serve(), "/lab")
    for wrong in (None, [], {"room": "", "size": -1, "ms": "x"}, True):
        answer = await ann.call(event, wrong)
        assert answer["error"] in ("bad_request", "bad_room")
        assert f"; {event} wants {SHAPES[event]}" in answer["message"]


async def test_message(serve: Serve, connect: Connect, transport: str, tmp_path: Path) -> None:
    running = await serve(history=tmp_path / "h.db")
    ann, bob, eve = [await connect(running, transport=transport) for _ in range(3)]
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    await bob.call("join", "lobby")
    sent = {
        "room": "lobby",
        "text": "hi",
        "mood": ["good"],
        "id": 99,
        "from": "eve",
        "nick": "eve",
        "time": 0,
    }
    assert await ann.call("message", sent) == {"ok": True, "id": 1}

    message = await bob.next("message")
    assert list(message) == ["id", "room", "from", "nick", "text", "time", "mood"]
    assert message.pop("time").endswith("Z")
    expected = {"id": 1, "room": "lobby", "from": ann.sid, "nick": "ann", "text": "hi", "mood": ["good"]}
    assert message == expected
    assert (await ann.next("message"))["id"] == 1
    assert "message" not in dict(await eve.settled())
    (stored,) = (await eve.call("history", "lobby"))["history"]
    assert stored.pop("time")
    assert stored == expected


async def test_the_sender_sees_the_message_before_the_answer(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    ann = await connect(await serve(history=tmp_path / "h.db"))
    await ann.call("join", "lobby")
    await ann.call("message", {"room": "lobby", "text": "hi"})
    assert any(event == "message" for _, event, _ in list(ann.events._queue))


async def test_emit(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve()
    ann, bob, eve = [await connect(running, transport=transport) for _ in range(3)]
    for member, rooms in ((ann, ("a", "b")), (bob, ("b",)), (eve, ("c",))):
        for room in rooms:
            await member.call("join", room)
    assert await ann.call("emit", {"event": "x", "args": [b"\x00\xff", 2], "to": ["a", "b"]}) == {
        "ok": True,
        "recipients": 2,
    }
    for member in (ann, bob):
        assert await member.next("x") == b"\x00\xff"
    assert "x" not in dict(await eve.settled())


@pytest.mark.parametrize(("skip", "recipients"), [("b", 0), ("c", 2), (["c", "d"], 1)])
async def test_emit_except(serve: Serve, connect: Connect, skip: Any, recipients: int) -> None:
    running = await serve()
    ann, bob, eve = [await connect(running) for _ in range(3)]
    for member, rooms in ((ann, ("b",)), (bob, ("b", "d")), (eve, ("b", "c"))):
        for room in rooms:
            await member.call("join", room)
    answer = await ann.call("emit", {"event": "x", "to": "b", "except": skip})
    assert answer == {"ok": True, "recipients": recipients}
    heard = [member for member in (ann, bob, eve) if "x" in dict(await member.settled())]
    assert len(heard) == recipients


async def test_rooms_and_who(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob = await connect(running, "/chat"), await connect(running, "/chat")
    other = await connect(running, "/")
    await other.call("join", "elsewhere")
    await ann.call("join", "a")
    await ann.call("nick", "ann")
    await bob.call("join", "a")
    await bob.call("join", "b")
    members = [{"sid": ann.sid, "nick": "ann"}, {"sid": bob.sid, "nick": None}]
    in_a = {"room": "a", "count": 2, "members": members}
    in_b = {"room": "b", "count": 1, "members": members[1:]}
    assert await ann.call("rooms") == {"ok": True, "rooms": [in_a, in_b]}
    assert await ann.call("who", {"room": "a"}) == {"ok": True, **in_a}
    assert await ann.call("who", "nobody-here") == {
        "ok": True,
        "room": "nobody-here",
        "count": 0,
        "members": [],
    }


@pytest.mark.parametrize("arg", ["ann", {"nick": "ann"}])
async def test_nick(serve: Serve, connect: Connect, arg: Any) -> None:
    ann = await connect(await serve())
    assert await ann.call("nick", arg) == {"ok": True, "nick": "ann"}


@pytest.mark.parametrize(
    ("event", "args", "code"),
    [
        ("join", [None], "bad_request"),
        ("join", [{"room": None}], "bad_room"),
        ("join", [["a", "b"]], "bad_request"),
        ("leave", ["elsewhere"], "not_a_member"),
        ("message", [{"room": "elsewhere", "text": "x"}], "not_a_member"),
        ("message", [{"room": "lobby", "text": b"x"}], "bad_request"),
        ("emit", [{"event": "x", "to": ["lobby", "elsewhere"]}], "not_a_member"),
        ("emit", [{"event": "connect", "to": "lobby"}], "reserved_event"),
        ("history", [{"room": "lobby", "limit": "all"}], "bad_request"),
        ("nick", ["\x1b[2J"], "bad_request"),
        ("connect", [], "reserved_event"),
        ("disconnect", [], "reserved_event"),
        ("nope", [1], "unknown_event"),
        ("echo", [1], "unknown_event"),
    ],
)
async def test_refusals(serve: Serve, connect: Connect, event: str, args: list[Any], code: str) -> None:
    running = await serve()
    ann, bob = await connect(running), await connect(running)
    await ann.call("join", "lobby")
    await bob.call("join", "elsewhere")
    answer = await ann.call(event, *args)
    assert set(answer) == {"error", "message"}
    assert answer["error"] == code
    assert (await ann.call("who", "lobby"))["count"] == 1


async def test_a_sid_is_no_room(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob = await connect(running), await connect(running)
    await ann.call("join", "lobby")
    assert (await ann.call("join", bob.sid))["error"] == "bad_room"
    assert (await ann.call("message", {"room": bob.sid, "text": "x"}))["error"] == "not_a_member"
    assert (await ann.call("message", {"room": ann.sid, "text": "x"}))["error"] == "not_a_member"
    assert (await ann.call("emit", {"event": "x", "to": [bob.sid]}))["error"] == "not_a_member"
    assert "x" not in dict(await bob.settled())


async def test_too_many_rooms(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve())
    answers = [await ann.call("join", str(number)) for number in range(129)]
    assert all(answer["ok"] for answer in answers[:-1])
    assert answers[-1]["error"] == "too_many_rooms"


async def test_a_refusal_without_an_ack_id_is_silent(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve())
    await ann.settled()
    await ann.emit("nope")
    await ann.emit("message", {"room": "elsewhere", "text": "x"})
    assert await ann.settled() == []
