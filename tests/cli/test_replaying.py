"""Replays that use what the server sends: which ids go into later arguments, and what differs."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from nsroom.client.events import Emit, Line
from nsroom.comparison import Ignored
from nsroom.errors import DataError, WaitError
from nsroom.record import Direction, Json, Kind, Record
from nsroom.replaying import Recorded, Replay

IN, OUT = Direction.IN, Direction.OUT
OLD, NEW = "aB3dE5gH7jK9mN1pQ3sT", "zY8xW6vU4tS2rQ0pO8nM"


def record(direction: Direction, kind: Kind, **fields: Any) -> Record:
    return Record(1_732_363_200_000_000, 0, direction, kind, "/", **fields)


def sent(event: str, *args: Json, id: int | None = None) -> Record:
    return record(OUT, Kind.EVENT, event=event, args=[*args], id=id)


def received(event: str, *args: Json) -> Record:
    return record(IN, Kind.EVENT, event=event, args=[*args])


def answer(id: int, *args: Json) -> Record:
    return record(IN, Kind.ACK, event="create", args=[*args], id=id)


def replay(*records: Record, use_ids: bool = True, expect: bool = False, timeout: float = 30.0) -> Replay:
    recorded = Recorded(list(enumerate(records, 1)))
    return Replay(recorded, speed=0, timeout=timeout, use_ids=use_ids, expect=expect)


async def run(again: Replay, answers: Sequence[Sequence[Record]]) -> list[Line]:
    """Take the lines, and give the replay the records of this run after each of them."""
    lines: list[Line] = []
    left = iter(answers)
    async with asyncio.timeout(30):
        async for batch in again.lines():
            lines += batch
            again.add([record(OUT, Kind.CONNECT), *next(left, ())])
    return lines


def args(lines: Sequence[Line]) -> list[list[Json]]:
    return [line.item.args for line in lines]


@pytest.mark.parametrize(
    ("old", "new", "later", "expected"),
    [
        ([{"id": 7}], [{"id": 9}], [{"after": 7, "n": 8}], [{"after": 9, "n": 8}]),
        ([{"userId": "ann"}], [{"userId": "bob"}], ["ann", ["ann"]], ["bob", ["bob"]]),
        ([{"token": OLD}], [{"token": NEW}], [{OLD: OLD}], [{NEW: NEW}]),
        ([None, 7], [None, 9], [7, 7.5, True, "7"], [9, 7.5, True, "7"]),
        ([{"ids": [4, 5]}], [{"ids": [6, 5]}], [4, 5], [6, 5]),
        ([{"count": 7, "paid": 7}], [{"count": 9, "paid": 9}], [7], [7]),
        ([{"id": 7}], [{"id": "seven"}], [7], [7]),
        ([{"id": 7}], [{"id": None}], [7], [7]),
        ([{"id": 1}], [{"id": 2}], [True], [True]),
    ],
)
async def test_ids_of_answers_go_into_later_arguments(
    old: list[Json], new: list[Json], later: list[Json], expected: list[Json]
) -> None:
    again = replay(sent("create", id=0), answer(0, *old), sent("use", *later))
    # The ids of acknowledgements are those of the run.
    lines = await run(again, [[sent("create", id=5), answer(5, *new)]])
    assert args(lines) == [[], expected]
    assert [line.ask for line in lines] == [True, False]


async def test_ids_of_events_and_the_sid() -> None:
    again = replay(
        record(IN, Kind.CONNECT, sid=OLD),
        sent("a"),
        received("made", {"id": 1}),
        received("made", {"id": 2}),
        sent("b", 2, OLD),
    )
    again.add([record(IN, Kind.CONNECT, sid=NEW)])
    lines = await run(again, [[received("made", {"id": 11}), received("made", {"id": 12})]])
    assert args(lines) == [[], [12, NEW]]


async def test_a_recording_of_the_proxy_names_the_sid_elsewhere() -> None:
    records = record(IN, Kind.CONNECT, data={"sid": OLD}), sent("a", OLD)
    again = replay(*(each._replace(sid="proxy") for each in records), expect=True)
    again.add([record(IN, Kind.CONNECT, sid=NEW)])
    assert args(await run(again, [])) == [[NEW]]
    assert again.differences(Ignored(())) == []


async def test_without_map_arguments_stay_as_recorded() -> None:
    again = replay(sent("create", id=0), answer(0, {"id": 7}), sent("use", 7), use_ids=False)
    lines = await run(again, [[sent("create", id=0), answer(0, {"id": 9})]])
    assert args(lines) == [[], [7]]


async def test_an_event_waits_for_the_ids_in_its_arguments() -> None:
    again = replay(sent("create", id=0), answer(0, {"id": 7}), sent("use", 7))
    lines = again.lines()
    await anext(lines)
    again.add([sent("create", id=0)])
    waiting = asyncio.create_task(anext(lines))
    await asyncio.sleep(0)
    assert not waiting.done()
    again.add([answer(0, {"id": 9})])
    async with asyncio.timeout(30):
        assert await waiting == [Line(3, Emit("/", "use", [9]))]


async def test_an_id_that_never_comes() -> None:
    records = sent("create", id=0), answer(0, {"id": 7}), sent("use", 7)
    with pytest.raises(WaitError, match=r"line 3: an id .* acknowledgement of create \(line 2\)"):
        await run(replay(*records, timeout=0.01), [])
    again = replay(*records, timeout=0.01, expect=True)
    assert args(await run(again, [])) == [[], [7]]
    assert [each.what for each in again.differences(Ignored(()))] == ["missing"]


async def test_a_text_that_the_client_made_up_is_not_waited_for() -> None:
    again = replay(sent("create", {"id": OLD}), received("made", {"id": OLD}), sent("use", OLD), timeout=0.01)
    assert args(await run(again, [])) == [[{"id": OLD}], [OLD]]


async def test_differences() -> None:
    records = (
        record(IN, Kind.CONNECT, sid=OLD),
        sent("create", id=0),
        received("made", {"id": 7, "from": OLD, "members": 7, "list": [7, 1]}),
        answer(0, {"id": 7, "ok": True}),
    )
    again = replay(*records, expect=True)
    made = received("made", {"id": 9, "from": NEW, "members": 7, "list": [9, 1]})
    now = [record(IN, Kind.CONNECT, sid=NEW), sent("create", id=0), made, answer(0, {"id": 9, "ok": True})]
    await run(again, [now])
    assert again.differences(Ignored(())) == []
    again = replay(*records, expect=True, use_ids=False)
    await run(again, [[*now, received("more")]])
    found = again.differences(Ignored(()))
    assert sorted((each.what, each.paths) for each in found) == [
        ("changed", (("arg", "0", "id"),)),
        ("changed", (("arg", "0", "id"), ("arg", "0", "list", "0"))),
        ("extra", ()),
    ]
    assert [each.what for each in again.differences(Ignored(["id", "list"]))] == ["extra"]
    assert again.counts == (3, 4)


async def test_kinds_that_the_recording_lacks_are_not_compared() -> None:
    again = replay(sent("a"), received("b"), expect=True)
    await run(again, [[record(IN, Kind.CONNECT, sid=NEW), received("b")]])
    assert again.differences(Ignored(())) == []


async def test_the_end_is_part_of_the_recording() -> None:
    again = replay(sent("kick"), record(IN, Kind.DISCONNECT), expect=True)
    assert not again.has_ended_as_recorded
    await run(again, [[record(IN, Kind.DISCONNECT)]])
    assert again.has_ended_as_recorded


def test_a_flood_is_not_kept() -> None:
    again = replay(sent("a"), expect=True)
    again.add([received("flood")] * 20_000)
    assert again.counts == (0, 10_000)


def test_several_clients_cannot_be_replayed_as_one() -> None:
    with pytest.raises(DataError, match="several clients"):
        replay(sent("a")._replace(sid="one"), sent("a")._replace(sid="two"))


def test_namespaces() -> None:
    connect = record(IN, Kind.CONNECT)
    assert replay(connect, sent("a")._replace(namespace="/a")).recorded.namespaces == ("/",)
    assert replay(sent("a")._replace(namespace="/a"), sent("b")).recorded.namespaces == ("/a", "/")
