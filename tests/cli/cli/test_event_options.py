"""The event that the options of `emit` and `call` make."""

import pytest

from nsroom.cli.event_options import EmitOptions
from nsroom.client.events import Emit
from nsroom.errors import RefusedError, UsageError
from tests.cli.clients import Connect, Reference


def test_the_arguments_make_an_event() -> None:
    assert EmitOptions().emit("e", ["1", "a=b"], "/n") == Emit("/n", "e", [1, {"a": "b"}])
    assert EmitOptions(text=True).emit("e", ["1"], "/n") == Emit("/n", "e", ["1"])
    relayed = {"event": "e", "args": [1], "to": ["r"], "except": ["s"]}
    assert EmitOptions(room=["r"], skip=["s"]).emit("e", ["1"], "/n") == Emit("/n", "emit", [relayed])


def test_except_needs_a_room() -> None:
    with pytest.raises(UsageError, match="--except needs --room"):
        EmitOptions(skip=["s"]).emit("e", [], "/")


async def test_the_rooms_are_joined_first(reference: Reference, connect: Connect) -> None:
    client = await connect((await reference()).url, "/chat")
    await EmitOptions(room=["lobby"]).enter(client)
    (answer,) = await client.ask(EmitOptions().emit("rooms", [], "/chat"))
    [answered] = (await answer).args or []
    assert [room["room"] for room in answered["rooms"]] == ["lobby"]


async def test_a_refused_room_is_an_error(reference: Reference, connect: Connect) -> None:
    client = await connect((await reference()).url, "/chat")
    with pytest.raises(RefusedError, match="the server refused to join rrr"):
        await EmitOptions(room=["r" * 200]).enter(client)
