"""The messages of a relayed WebSocket, and its records."""

import pytest

from nsroom.protocol.websocket import Opcode
from nsroom.proxy.heartbeats import Heartbeats, Held
from nsroom.proxy.ping_timeout import raise_timeout
from nsroom.record import Direction, Kind
from tests.cli.conversing import HANDSHAKE, Talk, new_sessions
from tests.frames import MASK, frame

IN, OUT = Direction.IN, Direction.OUT


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_websocket_that_is_reset(talk: Talk) -> None:
    talk.upgrade()
    talk.hear(HANDSHAKE)
    (record,) = talk.conversation.close(IN, "reset the connection", 9)
    assert record.reason == "the server reset the connection without closing the WebSocket"


def test_data_that_is_not_a_websocket(talk: Talk) -> None:
    talk.upgrade()
    (record,) = talk.feed(OUT, b"\xff\x80" + MASK)
    assert record.kind is Kind.PROTOCOL_ERROR
    assert (
        record.message == "the client's data cannot be read from here on: a frame with the reserved opcode 15"
    )
    assert talk.feed(OUT, b"\xff\xff") == []
    assert talk.hear(HANDSHAKE)[0].kind is Kind.OPEN


def test_packets_are_dropped_between_frames() -> None:
    talk = Talk(drops=lambda record: record.event == "lost")
    talk.upgrade()
    lost = frame(1, b'451-["lost",{"_placeholder":true,"num":0}]') + frame(9, b"") + frame(2, b"\x01")
    kept = frame(1, b'42["kept"]')
    pieces = b"".join([kept, lost, kept])
    passed, records = b"", []
    for index in range(0, len(pieces), 3):
        for seen in talk.conversation.feed(IN, pieces[index : index + 3], 1):
            passed += seen.data
            records += seen.records
    assert passed == kept + frame(9, b"") + kept
    assert [(record.event, record.reason) for record in records] == [
        ("kept", None),
        ("lost", "dropped on purpose"),
        ("kept", None),
    ]


def test_fragments_and_control_frames_are_never_dropped() -> None:
    talk = Talk(drops=lambda _record: True)
    talk.upgrade()
    data = frame(1, b'42["a', final=False) + frame(9, b"x") + frame(0, b'"]') + frame(8, b"\x03\xe8")
    seen = talk.conversation.feed(IN, data + b"\x81", 1)
    assert b"".join(each.data for each in seen) == data
    assert talk.conversation.end(IN, 2).data == b"\x81"


def test_control_frames_that_break_the_protocol_are_told_and_passed_on(talk: Talk) -> None:
    talk.upgrade()
    talk.hear(HANDSHAKE)
    (long,) = talk.feed(OUT, frame(9, bytes(126), mask=MASK))
    assert long.message == "the client sent a control frame of 126 bytes, more than 125; it is passed on"
    invalid, close = talk.feed(IN, frame(8, (999).to_bytes(2, "big")))
    assert invalid.kind is Kind.PROTOCOL_ERROR
    assert invalid.message == "the server sent a close frame with the invalid code 999; it is passed on"
    assert (close.kind, close.message) == (Kind.CLOSE, "code 999")


# Held sessions


def held_talk(sent: list[bytes]) -> tuple[Talk, Held]:
    """Return a WebSocket after its handshake, with the held session; heartbeats are added to `sent`."""
    heartbeats = Heartbeats()
    talk = Talk(new_sessions(heartbeats=heartbeats), insert=sent.append)
    talk.upgrade()
    assert not talk.conversation.is_transparent(IN)
    talk.hear(HANDSHAKE)
    assert talk.conversation.is_transparent(IN)
    held = heartbeats.find("eio")
    assert held is not None
    return talk, held


def test_heartbeats_are_sent_between_the_messages_of_the_client() -> None:
    sent: list[bytes] = []
    talk, held = held_talk(sent)
    message = frame(1, b'42["x"]', mask=MASK)
    assert held.send is not None
    for part, is_possible in ((message[:3], False), (message[3:], True)):
        talk.feed(OUT, part)
        assert held.send(Opcode.TEXT, b"3") is is_possible
    assert sent == [frame(1, b"3", mask=bytes(4))]


def test_no_heartbeat_is_sent_in_data_that_is_not_a_websocket() -> None:
    talk, held = held_talk([])
    talk.feed(OUT, b"\xff\x80" + MASK)
    assert held.send is not None
    assert not held.send(Opcode.TEXT, b"3")


def test_pings_of_the_websocket_wait_for_the_client() -> None:
    talk, held = held_talk([])
    talk.feed(IN, frame(9, b"a"))
    assert (held.ping, held.pinged) == (b"a", talk.at)
    talk.feed(OUT, frame(10, b"a", mask=MASK))
    assert held.pinged is None


def test_a_session_is_not_held_after_its_websocket() -> None:
    sessions = new_sessions(heartbeats=Heartbeats())
    assert sessions.heartbeats is not None
    for close in (
        lambda talk: talk.feed(OUT, frame(8, b"\x03\xe9", mask=MASK)),
        lambda talk: talk.say("1"),
        lambda talk: talk.conversation.close(OUT, "closed the connection", 9),
    ):
        talk = Talk(sessions, insert=print)
        talk.upgrade()
        talk.hear(HANDSHAKE)
        assert sessions.heartbeats.find("eio") is not None
        close(talk)
        assert sessions.heartbeats.find("eio") is None


def test_the_handshake_is_changed_together_with_dropped_packets() -> None:
    talk = Talk(new_sessions(heartbeats=Heartbeats()), lambda record: record.event == "lost", print)
    talk.upgrade()
    data = frame(1, HANDSHAKE.encode()) + frame(1, b'42["lost"]') + frame(1, b'42["kept"]')
    passed = b"".join(
        seen.data
        for start in range(len(data))
        for seen in talk.conversation.feed(IN, data[start : start + 1], 1)
    )
    assert passed == frame(1, raise_timeout(HANDSHAKE).encode()) + frame(1, b'42["kept"]')
