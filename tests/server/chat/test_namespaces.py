"""The contract's table of events, row by row, over each transport."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nsroom_server.settings.limits import Limits
from tests.server.member import Connect, Serve

JOINS = ("join", "room", "subscribe", "join_room", "joinRoom")
LEAVES = ("leave", "unsubscribe", "leave_room")


async def test_the_greeting_follows_the_connect_answer(
    serve: Serve, connect: Connect, transport: str
) -> None:
    running = await serve()
    for namespace in ("/", "/my-namespace", "/chat", "/lab"):
        ann = await connect(running, namespace, transport=transport)
        assert await ann.next("hi") == "everyone!"


async def test_everyone_in_the_namespace_is_greeted(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob, other = [await connect(running, name) for name in ("/chat", "/chat", "/")]
    assert [event for event, _ in await ann.settled()] == ["hi", "hi"]
    assert [event for event, _ in await bob.settled()] == ["hi"]
    assert [event for event, _ in await other.settled()] == ["hi"]


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


async def test_delivery_is_in_the_order_of_the_ids(
    serve: Serve, connect: Connect, transport: str, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db")
    members = [await connect(running, transport=transport) for _ in range(3)]
    for member in members:
        await member.call("join", "lobby")
    calls = [
        member.call("message", {"room": "lobby", "text": str(number)})
        for number in range(3)
        for member in members
    ]
    answers = await asyncio.gather(*calls)
    assert sorted(answer["id"] for answer in answers) == list(range(1, 10))
    for member in members:
        received = [await member.next("message") for _ in range(9)]
        assert [message["id"] for message in received] == list(range(1, 10))
        for sender in members:
            texts = [message["text"] for message in received if message["from"] == sender.sid]
            assert texts == ["0", "1", "2"]


async def test_a_long_burst_is_delivered_in_the_order_of_the_ids(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db", limits=Limits(events_burst=2000, queued_frames=4000))
    ann, bob = await connect(running), await connect(running)
    for member in (ann, bob):
        await member.call("join", "lobby")
    for number in range(3000):
        await (ann, bob)[number % 2].emit("message", {"room": "lobby", "text": ""})
    for member in (ann, bob):
        assert [(await member.next("message"))["id"] for _ in range(3000)] == list(range(1, 3001))


async def test_a_message_counts_although_its_sender_is_gone(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db")
    ann, bob = await connect(running), await connect(running)
    await bob.call("join", "lobby")
    await ann.call("join", "lobby")
    for number in range(20):
        await ann.emit("message", {"room": "lobby", "text": str(number)})
    await ann.client.eio.queue.join()
    await ann.client.disconnect()
    assert [(await bob.next("message"))["text"] for _ in range(20)] == [str(number) for number in range(20)]


@pytest.mark.parametrize("history", [True, False])
async def test_history(serve: Serve, connect: Connect, tmp_path: Path, history: bool) -> None:
    ann = await connect(await serve(history=tmp_path / "h.db" if history else None))
    await ann.call("join", "lobby")
    for text in "abc":
        await ann.call("message", {"room": "lobby", "text": text})
    answer = await ann.call("history", {"room": "lobby", "after": 1, "limit": 1})
    assert answer["ok"]
    assert answer["epoch"]
    assert [entry["text"] for entry in answer["history"]] == (["b"] if history else [])


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


async def test_presence(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve()
    ann, bob, eve = [await connect(running, transport=transport) for _ in range(3)]
    for member in (ann, bob, eve):
        await member.settled()
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    await bob.call("join", "lobby")
    await bob.call("join", "lobby")
    await ann.call("leave", "lobby")
    bob_sid = bob.sid
    await bob.call("leave", "lobby")

    def said(sid: str, nick: str | None, members: int) -> dict[str, Any]:
        return {"room": "lobby", "sid": sid, "nick": nick, "members": members}

    assert await ann.settled() == [
        ("create-room", said(ann.sid, "ann", 1)),
        ("join-room", said(ann.sid, "ann", 1)),
        ("join-room", said(bob_sid, None, 2)),
        ("delete-room", said(bob_sid, None, 0)),
    ]
    assert await bob.settled() == [
        ("create-room", said(ann.sid, "ann", 1)),
        ("join-room", said(bob_sid, None, 2)),
        ("leave-room", said(ann.sid, "ann", 1)),
        ("delete-room", said(bob_sid, None, 0)),
    ]
    assert [event for event, _ in await eve.settled()] == ["create-room", "delete-room"]


async def test_presence_when_a_client_goes(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve()
    ann, bob = await connect(running, transport=transport), await connect(running, transport=transport)
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    await ann.call("join", "alone")
    await bob.call("join", "lobby")
    gone = ann.sid
    await ann.client.disconnect()
    assert await bob.next("leave-room") == {"room": "lobby", "sid": gone, "nick": "ann", "members": 1}
    assert (await bob.next("delete-room"))["room"] == "alone"
    assert (await bob.call("who", "lobby"))["members"] == [{"sid": bob.sid, "nick": None}]


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


async def test_the_chat_goes_on_when_the_store_fails(
    serve: Serve, connect: Connect, tmp_path: Path, transport: str
) -> None:
    ann = await connect(await serve(history=tmp_path / "h.db"), transport=transport)
    await ann.call("join", "lobby")
    with closing(sqlite3.connect(tmp_path / "h.db")) as other:
        other.execute("ALTER TABLE messages RENAME TO elsewhere")
        answer = await ann.call("message", {"room": "lobby", "text": "x"})
        assert answer == {"ok": True, "id": None, "history": "history_unavailable"}
        message = await ann.next("message")
        assert (message["id"], message["text"]) == (None, "x")
        assert (await ann.call("history", "lobby"))["error"] == "history_unavailable"
        joined = await ann.call("join", "den")
        assert (joined["ok"], joined["history"]) == (True, [])
        assert (joined["last"], joined["gap"]) == (None, "history_unavailable")
        assert (await ann.call("emit", {"event": "x", "to": "lobby"}))["recipients"] == 1
        other.execute("ALTER TABLE elsewhere RENAME TO messages")
    assert await ann.call("message", {"room": "lobby", "text": "y"}) == {"ok": True, "id": 1}


async def test_a_locked_file_holds_nobody_up(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    ann = await connect(await serve(history=tmp_path / "h.db"))
    await ann.call("join", "lobby")
    with closing(sqlite3.connect(tmp_path / "h.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(4):
            for text in "abcdefghij":
                answer = await ann.call("message", {"room": "lobby", "text": text})
                assert answer == {"ok": True, "id": None, "history": "history_unavailable"}
        assert [(await ann.next("message"))["text"] for _ in range(10)] == [*"abcdefghij"]
    assert (await ann.call("message", {"room": "lobby", "text": "k"}))["id"] == 1


async def test_joining_again_says_what_was_missed(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    running = await serve(history=tmp_path / "h.db", limits=Limits(history_messages=3, history_default=2))
    ann = await connect(running)
    epoch = (await ann.call("join", "lobby"))["epoch"]
    for text in "abcde":
        await ann.call("message", {"room": "lobby", "text": text})

    async def missed(**fields: Any) -> tuple[list[int], int, str | None]:
        answer = await ann.call("join", {"room": "lobby", **fields})
        return [entry["id"] for entry in answer["history"]], answer["last"], answer["gap"]

    assert await missed() == ([4, 5], 5, None)
    assert await missed(after=2, epoch=epoch) == ([3, 4], 5, None)
    assert await missed(after=4) == ([5], 5, None)
    assert await missed(after=5, epoch=epoch) == ([], 5, None)
    assert await missed(after=1, epoch=epoch) == ([3, 4], 5, "trimmed")
    assert await missed(after=9, epoch=epoch) == ([4, 5], 5, "epoch")
    assert await missed(after=4, epoch="another") == ([4, 5], 5, "epoch")
    assert (await ann.call("join", {"room": "lobby", "epoch": 1}))["error"] == "bad_request"


async def test_without_a_history_nobody_is_told_that_nothing_was_missed(
    serve: Serve, connect: Connect
) -> None:
    ann = await connect(await serve())
    await ann.call("join", "lobby")
    await ann.call("message", {"room": "lobby", "text": "x"})
    assert (await ann.call("join", {"room": "lobby", "after": 1}))["gap"] is None
    assert (await ann.call("join", {"room": "lobby", "after": 0}))["gap"] == "trimmed"


async def test_unknown_namespace(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/nope", transport=transport, wait=False)
    assert await ann.refused() == {"message": "Invalid namespace"}


async def test_one_namespace_is_refused_and_the_others_go_on(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/chat", "/nope", wait=False)
    assert await ann.refused() == {"message": "Invalid namespace"}
    assert await ann.next("hi") == "everyone!"


async def test_any_namespace(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(any_namespace=True, namespaces=()), "/what/ever")
    assert (await ann.call("join", "lobby"))["ok"]


async def test_namespaces_of_a_connection(serve: Serve, connect: Connect) -> None:
    running = await serve(any_namespace=True)
    names = [f"/{number}" for number in range(16)]
    await connect(running, *names)
    ann = await connect(running, *names, "/more", wait=False)
    assert await ann.refused() == {"message": "too_many_namespaces"}


@pytest.mark.parametrize("auth", [None, {}, {"token": "wrong"}, {"token": None}, {"token": ["secret"]}])
async def test_the_token_is_asked_for(serve: Serve, connect: Connect, auth: Any) -> None:
    running = await serve(token="secret")
    ann = await connect(running, auth=auth, wait=False)
    assert await ann.refused() == {"message": "unauthorized"}
    assert await connect(running, auth={"token": "secret"})


async def test_lab_echo(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    args = ["😀", {"a": [None, True, 1.5, 2**53 + 1]}, b"\x00\x01", ""]
    assert await ann.client.call("echo", tuple(args), "/lab") == tuple(args)
    assert await ann.call("echo", 1) == 1
    await ann.next("echo")
    assert await ann.next("echo") == 1


async def test_lab_delay_does_not_hold_up_what_comes_after(
    serve: Serve, connect: Connect, transport: str
) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    order: asyncio.Queue[str] = asyncio.Queue()
    for event, arg in (("delay", {"ms": 300}), ("never", {}), ("echo", 1)):
        await ann.client.emit(event, arg, "/lab", callback=lambda *_, event=event: order.put_nowait(event))
    assert [await order.get(), await order.get()] == ["echo", "delay"]


@pytest.mark.parametrize("arg", [None, {}, {"ms": "1"}, {"ms": -1}, {"ms": 60_001}])
async def test_lab_delay_is_checked(serve: Serve, connect: Connect, arg: Any) -> None:
    ann = await connect(await serve(), "/lab")
    assert (await ann.call("delay", arg))["error"] == "bad_request"


async def test_lab_error(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/lab")
    assert (await ann.call("error"))["error"] == "lab_error"


async def test_lab_binary(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    assert await ann.call("binary", {"size": 3}) == b"\x00\x01\x02"
    assert await ann.next("binary") == b"\x00\x01\x02"
    assert len(await ann.call("binary")) == 16
    assert await ann.call("binary", b"mine") == b"mine"
    assert (await ann.call("binary", {"size": 10**7}))["error"] == "bad_request"


async def test_lab_flood(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/lab")
    assert await ann.call("flood", {"count": 3000, "size": 100}) == {"ok": True, "count": 3000}
    numbers = [(await ann.next("flood"))["n"] for _ in range(3000)]
    assert numbers == list(range(3000))


async def test_lab_kick(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob = await connect(running, "/lab", "/chat"), await connect(running, "/lab")
    await ann.call("join", "lobby")
    await ann.emit("kick")
    await asyncio.wait_for(ann.disconnected.wait(), 10)
    assert (await bob.call("who", "lobby"))["count"] == 0
    assert (await ann.call("rooms", namespace="/chat"))["ok"]
