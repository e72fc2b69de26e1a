"""The packets that wait: their order, decisions and records, and packets of the user's own."""

from typing import Any

import pytest

from nsroom.client.events import Acknowledge, Emit
from nsroom.errors import UsageError
from nsroom.filters import parse
from nsroom.output.ndjson import encode
from nsroom.proxy.intercepting import (
    FIRST_ID,
    MAX_BYTES,
    MAX_WAITING,
    Action,
    Decision,
    Interception,
    Session,
)
from nsroom.proxy.marks import is_pending, mark_of
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Link, Sessions
from nsroom.record import Direction, Frame, Kind, Record
from tests.cli.relaying import Sink

IN, OUT = Direction.IN, Direction.OUT
HANDSHAKE = '0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}'
FORWARD, DROP = Decision(Action.FORWARD), Decision(Action.DROP)


class Talk:
    """A session between a client and a server."""

    def __init__(self, where: str = "event=wait") -> None:
        self.fewer = 0
        sessions = Sessions(Notices("http://a", print))
        self.interception = Interception(parse(where), sessions, self._count)
        link = Link(sessions, None, False, "/socket.io/", "websocket")
        self.session = Session(self.interception, link)
        self.to = {IN: Sink(), OUT: Sink()}
        self.session.use(dict(self.to))
        self.at = 0
        self.feed(IN, HANDSHAKE)
        self.interception.register(self.session)
        self.feed(OUT, "40", "40/chat,")
        self.feed(IN, '40{"sid":"a"}', '40/chat,{"sid":"b"}')
        self.take(IN), self.take(OUT)

    def _count(self) -> None:
        self.fewer += 1

    def feed(self, direction: Direction, *frames: Frame) -> list[Record]:
        records = []
        for frame in frames:
            self.at += 1
            seen = self.session.link.feed(direction, frame, self.at)
            records += self.session.handle(direction, frame, seen, self.to[direction], self.at)
        return records

    def take(self, direction: Direction) -> list[Frame]:
        sent, self.to[direction].sent = self.to[direction].sent, []
        return sent

    def decide(self, id: int, decision: Decision = FORWARD) -> list[Record]:
        return self.interception.decide(id, decision, self.at)


def states(records: list[Record]) -> list[Any]:
    return [(record.event, (mark_of(record) or {}).get("state")) for record in records]


def test_packets_behind_one_that_waits_wait_too_and_heartbeats_do_not() -> None:
    talk = Talk()
    records = talk.feed(OUT, '42["first"]', '42["wait"]', '42["next"]', "3", "2probe")
    assert states(records) == [
        ("first", None),
        ("wait", "waiting"),
        ("next", "behind"),
        (None, None),
        (None, None),
    ]
    assert [is_pending(record) for record in records] == [False, True, True, False, False]
    assert talk.take(OUT) == ['42["first"]', "3", "2probe"]
    assert talk.interception.undecided == 1
    talk.feed(IN, '42["other way"]')
    assert talk.take(IN) == ['42["other way"]']
    settled = talk.decide(1)
    assert states(settled) == [("wait", "forwarded"), ("next", "forwarded")]
    assert [record.seq for record in settled] == sorted(record.seq for record in settled)
    assert talk.take(OUT) == ['42["wait"]', '42["next"]']
    assert (len(talk.interception.waiting), talk.fewer) == (0, 2)
    talk.feed(OUT, '42["later"]')
    assert talk.take(OUT) == ['42["later"]']


def test_a_packet_that_is_decided_early_keeps_its_place() -> None:
    talk = Talk()
    talk.feed(IN, '42["wait",1]', '42["wait",2]', '42["wait",3]')
    assert talk.decide(2) == []
    assert states(talk.decide(3, DROP)) == [("wait", "dropped")]
    assert talk.take(IN) == []
    assert states(talk.decide(1)) == [("wait", "forwarded"), ("wait", "forwarded")]
    assert talk.take(IN) == ['42["wait",1]', '42["wait",2]']


def test_dropping_the_first_lets_those_behind_go() -> None:
    talk = Talk()
    talk.feed(IN, '42["wait"]', '42["next"]')
    dropped, passed = talk.decide(1, DROP)
    assert (dropped.reason, passed.event) == ("dropped on purpose", "next")
    assert talk.take(IN) == ['42["next"]']


@pytest.mark.parametrize("id", [1, 2])
def test_only_a_packet_that_waits_can_be_decided(id: int) -> None:
    talk = Talk()
    talk.feed(IN, '42["wait"]')
    talk.decide(1)
    with pytest.raises(UsageError, match=f"packet {id} does not wait"):
        talk.decide(id)


def test_an_edited_event_keeps_namespace_and_id_and_its_original() -> None:
    talk = Talk()
    frames: list[Frame] = ['451-/chat,12["wait",{"_placeholder":true,"num":0}]', b"\1"]
    (waiting,) = talk.feed(OUT, *frames)
    assert (waiting.id, waiting.args) == (12, [b"\1"])
    (edited,) = talk.decide(1, Decision(Action.EDIT, "other", [{"b": b"\2\3"}, b"\4"]))
    assert talk.take(OUT) == [
        '452-/chat,12["other",{"b":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]',
        b"\2\3",
        b"\4",
    ]
    assert (edited.event, edited.args, edited.id) == ("other", [{"b": b"\2\3"}, b"\4"], 12)
    assert mark_of(edited) == {
        "id": 1,
        "state": "edited",
        "original": {"event": "wait", "args": [b"\1"]},
    }
    assert b'"original":{"event":"wait","args":[{"$binary":"AQ=="}]}' in encode(edited)


def test_an_edited_acknowledgement_still_pairs() -> None:
    talk = Talk("kind=ack")
    talk.feed(OUT, '425["ask"]')
    (waiting,) = talk.feed(IN, '435["yes"]')
    assert waiting.event == "ask"
    (edited,) = talk.decide(1, Decision(Action.EDIT, args=["no"]))
    assert talk.take(IN) == ['435["no"]']
    assert (edited.kind, edited.event, edited.args) == (Kind.ACK, "ask", ["no"])


def test_the_offset_of_a_recoverable_event_stays() -> None:
    talk = Talk("event=wait")
    talk.session.link.observer.recovery["/"] = "pid"
    talk.feed(IN, '42["wait",1,"abcdefg"]')
    (edited,) = talk.decide(1, Decision(Action.EDIT, args=[2]))
    assert (talk.take(IN), edited.args) == (['42["wait",2,"abcdefg"]'], [2])


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (Decision(Action.EDIT, args=["x" * 1000]), "more than the server accepts: its maxPayload is 1000"),
        (Decision(Action.EDIT, args=[{"_placeholder": True}, b""]), "_placeholder"),
    ],
)
def test_an_edit_that_cannot_be_sent_leaves_the_packet_waiting(decision: Decision, reason: str) -> None:
    talk = Talk()
    talk.feed(OUT, '42["wait"]')
    with pytest.raises(UsageError, match=reason):
        talk.decide(1, decision)
    assert states(talk.decide(1)) == [("wait", "forwarded")]


def test_a_connect_can_wait_but_not_be_edited() -> None:
    talk = Talk("kind=connect & ns=/x")
    assert states(talk.feed(OUT, '40/x,{"token":"secret"}')) == [(None, "waiting")]
    with pytest.raises(UsageError, match="a connect cannot be edited"):
        talk.decide(1, Decision(Action.EDIT, args=[]))
    (passed,) = talk.decide(1)
    assert talk.take(OUT) == ['40/x,{"token":"secret"}']
    assert "secret" not in str(passed)


def test_a_server_cannot_forge_a_mark() -> None:
    talk = Talk()
    (record,) = talk.feed(IN, '44/chat,{"message":"no","intercept":{"id":1,"state":"waiting"}}')
    assert record.data["intercept"]["state"] == "waiting"
    assert not is_pending(record)


def test_a_close_takes_what_waits_along() -> None:
    talk = Talk()
    talk.feed(OUT, '42["wait"]')
    assert states(talk.feed(OUT, "1")) == [("wait", "forwarded"), (None, None)]
    assert talk.take(OUT) == ['42["wait"]', "1"]


def test_the_end_of_the_session_drops_what_waits() -> None:
    talk = Talk()
    talk.feed(IN, '42["wait"]', '42["next"]')
    lost = talk.session.end(9)
    assert [record.reason for record in lost] == ["dropped: the connection ended before it was forwarded"] * 2
    assert not talk.interception.waiting
    with pytest.raises(UsageError, match="no client is connected"):
        talk.interception.find(None)


def test_stopping_forwards_everything_and_nothing_waits_any_more() -> None:
    talk = Talk()
    talk.feed(IN, '42["wait",1]', '42["next"]')
    talk.feed(OUT, '42["wait",2]')
    assert len(talk.interception.stop(9)) == 3
    assert (talk.take(IN), talk.take(OUT)) == (['42["wait",1]', '42["next"]'], ['42["wait",2]'])
    talk.feed(OUT, '42["wait",3]')
    assert talk.take(OUT) == ['42["wait",3]']


def test_it_is_full_after_many_packets_or_bytes() -> None:
    talk = Talk()
    talk.feed(OUT, *['42["wait"]'] * MAX_WAITING)
    assert talk.interception.is_full
    talk.decide(1)
    assert not talk.interception.is_full
    talk = Talk()
    talk.feed(IN, f'42["wait","{"x" * (MAX_BYTES - 100)}"]', f'42["next","{"x" * 100}"]')
    assert talk.interception.is_full


@pytest.mark.parametrize(("direction", "answers"), [(OUT, IN), (IN, OUT)])
def test_the_answer_to_an_event_of_ours_is_recorded_and_not_passed_on(
    direction: Direction, answers: Direction
) -> None:
    talk = Talk()
    (sent,) = talk.session.emit(direction, Emit("/chat", "mine", [b"\1"]), True, 10)
    assert talk.take(direction) == [f'451-/chat,{FIRST_ID}["mine",{{"_placeholder":true,"num":0}}]', b"\1"]
    assert (sent.event, sent.sid, sent.direction, states([sent])) == (
        "mine",
        "eio",
        direction,
        [("mine", "sent")],
    )
    talk.at = 2010
    (answer,) = talk.feed(answers, f'43/chat,{FIRST_ID}["ok"]')
    assert (talk.take(answers), states([answer]), answer.args) == ([], [("mine", "answer")], ["ok"])
    assert answer.rtt_ms == pytest.approx(2.0, abs=0.01)
    assert answer.message is None


def test_an_event_of_ours_may_come_between_attachments_of_the_client() -> None:
    talk = Talk()
    talk.feed(OUT, '451-["a",{"_placeholder":true,"num":0}]')
    talk.session.emit(OUT, Emit("/", "mine", []), False, 1)
    (record,) = talk.feed(OUT, b"\1")
    assert record.event == "a"
    assert talk.take(OUT)[0] == '42["mine"]'


def test_nothing_is_sent_to_a_namespace_that_is_not_connected() -> None:
    talk = Talk()
    with pytest.raises(UsageError, match="not connected to '/x'"):
        talk.session.emit(OUT, Emit("/x", "mine", []), False, 1)
    assert talk.take(OUT) == []


def test_a_reply_of_ours_replaces_the_clients() -> None:
    talk = Talk()
    talk.feed(IN, '42/chat,3["question"]')
    (sent,) = talk.session.reply(OUT, Acknowledge("/chat", 3, ["mine"]), 5)
    assert (talk.take(OUT), sent.event) == (['43/chat,3["mine"]'], "question")
    with pytest.raises(UsageError, match="no event with the id 3 waits"):
        talk.session.reply(OUT, Acknowledge("/chat", 3, []), 5)
    (dropped,) = talk.feed(OUT, '43/chat,3["theirs"]')
    assert (talk.take(OUT), dropped.reason) == ([], "dropped: the user acknowledged the event before")
    with pytest.raises(UsageError):
        talk.session.reply(OUT, Acknowledge("/chat", 3, []), 5)


def test_clients_are_found_by_sid() -> None:
    talk = Talk()
    assert talk.interception.find("eio") is talk.interception.find(None) is talk.session
    with pytest.raises(UsageError, match="no client with the sid 'x'"):
        talk.interception.find("x")
