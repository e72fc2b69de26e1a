"""The presence events, over each transport."""

from typing import Any

from tests.server.member import Connect, Serve


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
