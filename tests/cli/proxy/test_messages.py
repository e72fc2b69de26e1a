"""The messages of a relayed WebSocket, and its records."""

import pytest

from nsroom.record import Direction, Kind
from tests.cli.conversing import HANDSHAKE, Talk
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
    assert record.message == "the client's data is passed on unread: a frame with the reserved opcode 15"
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
