"""The delivery of messages: their order, and a store that fails."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from nsroom_server.settings.limits import Limits
from tests.server.member import Connect, Serve


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
