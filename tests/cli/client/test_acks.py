"""Ids for events, futures for their acknowledgements, and which of these say no."""

import pytest

from nsroom.client.acks import Acks, is_refusal, refusal
from nsroom.client.events import Emit
from nsroom.errors import LostError
from nsroom.record import Direction, Json, Kind, Record


def ack(namespace: str, id: int) -> Record:
    return Record(0, 1, Direction.IN, Kind.ACK, namespace, id, "e", [])


async def test_an_acknowledgement_goes_to_who_asked() -> None:
    acks = Acks()
    packets, futures = acks.expect([Emit("/", "a", []), Emit("/b", "b", []), Emit("/", "c", [])])
    assert [packet.id for packet in packets] == [0, 1, 2]
    acks.answer(ack("/", 2))
    acks.answer(ack("/", 1))
    acks.answer(ack("/", 2))
    assert [future.done() for future in futures] == [False, False, True]
    assert futures[2].result() == ack("/", 2)


async def test_who_waits_in_a_lost_namespace_is_told() -> None:
    acks = Acks()
    _, futures = acks.expect([Emit("/", "a", []), Emit("/b", "b", [])])
    acks.forsake(LostError("gone"), "/b")
    assert [future.done() for future in futures] == [False, True]
    acks.forsake(LostError("all gone"))
    with pytest.raises(LostError, match="all gone"):
        await futures[0]
    with pytest.raises(LostError, match=r"^gone"):
        await futures[1]


async def test_what_was_not_sent_is_not_waited_for() -> None:
    acks = Acks()
    packets, futures = acks.expect([Emit("/", "a", [])])
    acks.withdraw(packets)
    acks.forsake(LostError("gone"))
    acks.answer(ack("/", 0))
    assert not futures[0].done()
    futures[0].cancel()


@pytest.mark.parametrize(
    ("args", "refused", "text"),
    [
        ([{"error": "not_a_member"}], True, "not_a_member"),
        ([{"error": "no", "message": "why"}], True, "no: why"),
        ([{"error": None}, 1], True, "None"),
        ([{"ok": True}], False, None),
        ([1, {"error": "no"}], False, None),
        (["error"], False, None),
        ([], False, None),
        (None, False, None),
    ],
)
def test_a_refusal_is_an_answer_whose_first_argument_has_error(
    args: list[Json] | None, refused: bool, text: str | None
) -> None:
    assert is_refusal(args) is refused
    assert text is None or refusal(args) == text
