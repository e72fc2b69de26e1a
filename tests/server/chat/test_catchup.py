"""Catching up on missed messages."""

from pathlib import Path
from typing import Any

import pytest

from nsroom_server.settings.limits import Limits
from tests.server.member import Connect, Serve


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
