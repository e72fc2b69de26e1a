"""Ids of events, who waits for their acknowledgements, and which events a server acknowledges."""

import pytest

from nsroom.client.acks import Acks
from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.record import Direction, Json, Kind, Record


def ack(namespace: str, id: int) -> Record:
    return Record(0, 1, Direction.IN, Kind.ACK, namespace, id, "e", [])


def test_an_acknowledgement_goes_to_the_one_who_waits_for_it() -> None:
    acks, answers = Acks(), list[list[Record | LostError]]([[], [], []])
    emits = [Emit("/", "a", []), Emit("/b", "b", []), Emit("/", "c", [])]
    packets = acks.expect(emits, [each.append for each in answers])
    assert [packet.id for packet in packets] == [0, 1, 2]
    assert acks.resolve(ack("/", 2))
    assert not acks.resolve(ack("/", 1))
    assert not acks.resolve(ack("/", 2))
    assert answers == [[], [], [ack("/", 2)]]


def answer(acks: Acks, emit: Emit, *args: Json) -> None:
    [packet] = acks.expect([emit], [lambda _: None])
    acks.resolve(Record(0, 1, Direction.IN, Kind.ACK, emit.namespace, packet.id, emit.event, [*args]))


def test_a_server_is_known_to_answer_an_event_that_it_has_acknowledged() -> None:
    acks = Acks()
    say = Emit("/", "say", ["hi"])
    acks.expect([say], [lambda _: None])
    assert not acks.is_known_to_answer(say)
    answer(acks, say, {"ok": True})
    assert acks.is_known_to_answer(Emit("/", "say", []))
    assert not acks.is_known_to_answer(Emit("/b", "say", []))
    assert not acks.is_known_to_answer(Emit("/", "other", []))


def test_an_answer_that_was_not_asked_for_tells_nothing() -> None:
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
def test_the_reference_server_is_known_by_its_answer_to_a_join(reply: Json, known: bool) -> None:
    acks = Acks()
    answer(acks, Emit("/", "join", ["lobby"]), reply)
    assert acks.is_known_to_answer(Emit("/", "anything", [])) == known
    assert not acks.is_known_to_answer(Emit("/b", "anything", []))


def test_the_end_of_a_namespace_is_told_to_those_who_wait_in_it() -> None:
    acks, answers = Acks(), list[list[Record | LostError]]([[], []])
    acks.expect([Emit("/", "a", []), Emit("/b", "b", [])], [each.append for each in answers])
    gone, all_gone = LostError("gone"), LostError("all gone")
    acks.fail_all(gone, "/b")
    assert answers == [[], [gone]]
    acks.fail_all(all_gone)
    assert answers == [[all_gone], [gone]]


def test_packets_that_were_not_sent_are_forgotten() -> None:
    acks, answers = Acks(), list[Record | LostError]()
    acks.forget(acks.expect([Emit("/", "a", [])], [answers.append]))
    acks.fail_all(LostError("gone"))
    acks.resolve(ack("/", 0))
    assert answers == []
