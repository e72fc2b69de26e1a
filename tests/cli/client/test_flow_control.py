"""The outcomes of events that were sent: each is counted once, or resent."""

from typing import NamedTuple, Self

import pytest

from nsroom.client.acks import Settle
from nsroom.client.events import Emit
from nsroom.client.flow_control import InFlight, Tally
from nsroom.errors import LostError, WaitError
from nsroom.record import Direction, Json, Kind, Record
from tests.cli.clients import WAIT

EMIT = Emit("/", "order", [])
ACCEPTED: Json = {"ok": True}
REFUSED: Json = {"error": "sold_out"}
TOO_FAST: Json = {"error": "rate_limited"}


class Sent(NamedTuple):
    """Events in flight, and their answers."""

    tally: Tally
    events: InFlight
    waiting: list[Settle]
    shown: list[Record]

    @classmethod
    def of(cls, count: int, timeout: float = WAIT) -> Self:
        """Send `count` events."""
        tally, shown = Tally(read=count, sent=count), list[Record]()
        events = InFlight(tally, timeout, shown.append)
        return cls(tally, events, events.add([EMIT] * count), shown)

    def answer(self, *args: Json) -> None:
        """Acknowledge the next events, each with one argument."""
        for arg in args:
            self.waiting.pop(0)(Record(0, 1, Direction.IN, Kind.ACK, "/", 0, "order", [arg]))


async def test_each_event_is_counted_once() -> None:
    sent = Sent.of(4)
    sent.answer(ACCEPTED, REFUSED, 7)
    await sent.events.wait_below(2)
    assert (sent.tally, sent.tally.unknown) == (Tally(4, 4, 2, 1), 1)
    assert sent.tally.unconfirmed == "1 of 4 events"
    assert sent.events.refusals == "1 of 4 events were refused, first: sold_out"
    assert [record.args for record in sent.shown] == [[ACCEPTED], [REFUSED], [7]]


async def test_a_rate_limited_event_is_resent() -> None:
    sent = Sent.of(2)
    sent.answer(ACCEPTED, TOO_FAST)
    await sent.events.wait_below(1)
    assert list(sent.events.to_resend) == [EMIT]
    assert sent.tally == Tally(read=2, sent=1, acked=1)
    assert len(sent.shown) == 1


async def test_resending_ends_if_the_server_accepts_nothing() -> None:
    sent = Sent.of(1)
    sent.answer(TOO_FAST)
    await sent.events.wait_below(1)
    assert (list(sent.events.to_resend), sent.tally.nacked) == ([], 1)
    assert sent.events.refusals == "the server answered rate_limited"


async def test_the_pause_between_two_acknowledgements_is_bounded() -> None:
    sent = Sent.of(3, timeout=0.05)
    sent.answer(ACCEPTED)
    with pytest.raises(WaitError, match=r"no acknowledgement of 2 of 3 events within 0\.05 s"):
        await sent.events.wait_below(1)


async def test_an_event_without_an_answer_is_lost() -> None:
    sent = Sent.of(2)
    sent.waiting.pop()(LostError("gone"))
    sent.events.remove(1)
    await sent.events.wait_below(1)
    assert sent.events.any_lost
    assert sent.tally.unknown == 2
