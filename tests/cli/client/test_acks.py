"""Ids of events, futures of their acknowledgements, and which events a server acknowledges."""

import pytest

from nsroom.client.acks import Acks
from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.record import Direction, Json, Kind, Record


def ack(namespace: str, id: int) -> Record:
    return Record(0, 1, Direction.IN, Kind.ACK, namespace, id, "e", [])


async def test_an_acknowledgement_resolves_the_future_of_its_event() -> None:
    acks = Acks()
    packets, futures = acks.expect([Emit("/", "a", []), Emit("/b", "b", []), Emit("/", "c", [])])
    assert [packet.id for packet in packets] == [0, 1, 2]
    assert acks.resolve(ack("/", 2))
    assert not acks.resolve(ack("/", 1))
    assert not acks.resolve(ack("/", 2))
    assert [future.done() for future in futures] == [False, False, True]
    assert futures[2].result() == ack("/", 2)


def answer(acks: Acks, emit: Emit, *args: Json) -> None:
    ([packet], _) = acks.expect([emit])
    acks.resolve(Record(0, 1, Direction.IN, Kind.ACK, emit.namespace, packet.id, emit.event, [*args]))


async def test_a_server_is_known_to_answer_an_event_that_it_has_acknowledged() -> None:
    acks = Acks()
    say = Emit("/", "say", ["hi"])
    acks.expect([say])
    assert not acks.is_known_to_answer(say)
    answer(acks, say, {"ok": True})
    assert acks.is_known_to_answer(Emit("/", "say", []))
    assert not acks.is_known_to_answer(Emit("/b", "say", []))
    assert not acks.is_known_to_answer(Emit("/", "other", []))


async def test_an_answer_that_was_not_asked_for_tells_nothing() -> None:
    acks = Acks()
    acks.resolve(ack("/", 0))
    assert not acks.is_known_to_answer(Emit("/", "e", []))


@pytest.mark.parametrize(
    ("reply", "known"),
    [
        ({"ok": True, "room": "lobby", "members": [], "history": []}, True),
        ({"ok": True, "room": "lobby"}, False),
        ({"ok": 1, "room": "lobby", "history": []}, False),
        ({"room": "lobby", "history": []}, False),
        ("ok", False),
    ],
)
async def test_the_reference_server_is_known_by_its_answer_to_a_join(reply: Json, known: bool) -> None:
    acks = Acks()
    answer(acks, Emit("/", "join", ["lobby"]), reply)
    assert acks.is_known_to_answer(Emit("/", "anything", [])) == known
    assert not acks.is_known_to_answer(Emit("/b", "anything", []))


async def test_the_end_of_a_namespace_fails_its_futures() -> None:
    acks = Acks()
    _, futures = acks.expect([Emit("/", "a", []), Emit("/b", "b", [])])
    acks.fail_all(LostError("gone"), "/b")
    assert [future.done() for future in futures] == [False, True]
    acks.fail_all(LostError("all gone"))
    with pytest.raises(LostError, match="all gone"):
        await futures[0]
    with pytest.raises(LostError, match=r"^gone"):
        await futures[1]


async def test_packets_that_were_not_sent_are_forgotten() -> None:
    acks = Acks()
    packets, futures = acks.expect([Emit("/", "a", [])])
    acks.forget(packets)
    acks.fail_all(LostError("gone"))
    acks.resolve(ack("/", 0))
    assert not futures[0].done()
    futures[0].cancel()
