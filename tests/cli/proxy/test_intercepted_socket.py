"""The WebSocket of an intercepted session: the bytes that each side gets, and the records."""

from nsroom.filters import parse
from nsroom.protocol.websocket import Reader
from nsroom.proxy.intercepted_socket import InterceptedSocket
from nsroom.proxy.intercepting import Action, Decision, Interception
from nsroom.proxy.marks import is_pending
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Link, Sessions
from nsroom.record import Direction, Kind, Record
from tests.frames import MASK, frame, masked

IN, OUT = Direction.IN, Direction.OUT
HANDSHAKE = b'0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'


class Talk:
    """A WebSocket that started with its handshake."""

    def __init__(self) -> None:
        sessions = Sessions(Notices("http://a", print))
        self.interception = Interception(parse("event=wait"), sessions, list)
        link = Link(sessions, None, False, "/socket.io/", "websocket")
        self.sent = {IN: b"", OUT: b""}
        self.socket = InterceptedSocket(link, self.interception, self._write)
        self.feed(IN, frame(1, HANDSHAKE))
        self.take(IN)

    def _write(self, direction: Direction, data: bytes) -> None:
        self.sent[direction] += data

    def feed(self, direction: Direction, data: bytes) -> list[Record]:
        (seen,) = self.socket.feed(direction, data, 1)
        self.sent[direction] += seen.data
        return seen.records

    def take(self, direction: Direction) -> bytes:
        sent, self.sent[direction] = self.sent[direction], b""
        return sent

    def messages(self, direction: Direction) -> list[str | bytes]:
        return [message.data for message in Reader().feed(self.take(direction))]


def test_a_message_is_written_anew_and_masked_for_the_server() -> None:
    talk = Talk()
    talk.feed(OUT, frame(1, b'42["a"]', mask=MASK) + frame(2, b"\0", mask=MASK))
    talk.feed(IN, frame(1, b'42["b"]'))
    assert talk.sent[OUT][1] & 0x80
    assert talk.messages(OUT) == ['42["a"]', b"\0"]
    assert talk.take(IN) == frame(1, b'42["b"]')


def test_heartbeats_and_control_frames_overtake_what_waits() -> None:
    talk = Talk()
    records = talk.feed(IN, frame(1, b'42["wait"]') + frame(1, b"2") + frame(9, b"ping"))
    assert [is_pending(record) for record in records] == [True, False]
    assert talk.take(IN) == frame(1, b"2") + frame(9, b"ping")
    assert talk.socket.is_waiting(IN)
    talk.interception.decide(1, Decision(Action.FORWARD), 2)
    assert talk.take(IN) == frame(1, b'42["wait"]')


def test_a_packet_waits_with_its_attachments_and_a_heartbeat_between_them_does_not() -> None:
    talk = Talk()
    header = frame(1, b'451-["wait",{"_placeholder":true,"num":0}]')
    assert [each.kind for each in talk.feed(IN, header + frame(1, b"2"))] == [Kind.PING]
    assert talk.take(IN) == frame(1, b"2")
    (record,) = talk.feed(IN, frame(2, b"\1"))
    assert record.args == [b"\1"]
    talk.interception.decide(1, Decision(Action.FORWARD), 2)
    assert talk.take(IN) == header + frame(2, b"\1")


def test_a_fragmented_message_waits_as_a_whole() -> None:
    talk = Talk()
    first, last = frame(1, b'42["wa', final=False), frame(0, b'it"]')
    assert talk.feed(IN, first + frame(9, b"x") + last)
    assert talk.take(IN) == frame(9, b"x")
    talk.interception.decide(1, Decision(Action.FORWARD), 2)
    assert talk.take(IN) == frame(1, b'42["wait"]')


def test_a_close_frame_takes_what_waits_along() -> None:
    talk = Talk()
    talk.feed(IN, frame(1, b'42["wait"]'))
    records = talk.feed(IN, frame(8, b"\x03\xe8"))
    assert [record.kind for record in records] == [Kind.EVENT, Kind.CLOSE]
    assert records[0].seq < records[1].seq
    assert talk.take(IN) == frame(1, b'42["wait"]') + frame(8, b"\x03\xe8")


def test_the_end_of_a_direction_takes_what_waits_along() -> None:
    talk = Talk()
    talk.feed(IN, frame(1, b'42["wait"]') + b"\x81")
    seen = talk.socket.end(IN, 2)
    assert (talk.take(IN), seen.data) == (frame(1, b'42["wait"]'), b"\x81")
    assert [record.event for record in seen.records] == ["wait"]


def test_what_the_other_side_does_not_get_any_more_is_recorded() -> None:
    talk = Talk()
    talk.feed(IN, frame(1, b'42["wait"]'))
    lost, closed = talk.socket.close("the client reset the connection", 2)
    assert (str(lost.reason).split(":")[0], closed.kind) == ("dropped", Kind.CLOSE)


def test_nothing_is_forwarded_to_a_side_that_has_closed() -> None:
    talk = Talk()
    talk.feed(OUT, frame(1, b'42["wait"]', mask=MASK))
    closed, lost = talk.feed(IN, frame(8, b"\x03\xe8"))
    assert (closed.kind, str(lost.reason).split(":")[0]) == (Kind.CLOSE, "dropped")
    assert talk.feed(OUT, frame(8, b"\x03\xe8", mask=MASK)) == []
    assert talk.socket.end(IN, 2).records == []
    assert [message.opcode for message in Reader().feed(talk.take(OUT))] == [8]
    talk = Talk()
    talk.feed(OUT, frame(1, b'42["wait"]', mask=MASK))
    (lost,) = talk.socket.end(IN, 2).records
    assert str(lost.reason).startswith("dropped")
    assert talk.socket.end(OUT, 2) == (b"", [])


def test_data_that_is_not_a_websocket_passes_after_what_waits() -> None:
    talk = Talk()
    bad = b"\xf1\x01x"
    records = talk.feed(IN, frame(1, b'42["wait"]') + bad)
    assert [record.kind for record in records] == [Kind.EVENT, Kind.EVENT, Kind.PROTOCOL_ERROR]
    talk.feed(IN, b"more")
    assert talk.take(IN) == frame(1, b'42["wait"]') + bad + b"more"


def test_an_upgrade_takes_over_what_polling_has_not_sent() -> None:
    sessions = Sessions(Notices("http://a", print))
    interception = Interception(parse("event=wait"), sessions, list)
    polling = Link(sessions, None, False, "/socket.io/", "polling")
    session = interception.open(polling)
    polling.feed(IN, HANDSHAKE.decode(), 1)
    interception.register(session)

    class Unsent:
        def put(self, _frames: object) -> None:
            raise AssertionError

        def take(self) -> list[str | bytes]:
            return ['42["left"]']

    session.use({IN: Unsent(), OUT: Unsent()})
    sent = {IN: b"", OUT: b""}

    def write(direction: Direction, data: bytes) -> None:
        sent[direction] += data

    link = Link(sessions, "eio", False, "/socket.io/", "websocket")
    socket = InterceptedSocket(link, interception, write)

    def feed(direction: Direction, data: bytes) -> None:
        (seen,) = socket.feed(direction, data, 2)
        sent[direction] += seen.data

    feed(OUT, masked("2probe"))
    feed(IN, frame(1, b"3probe"))
    assert socket.close("failed", 3)[-1].kind is Kind.CLOSE
    assert interception.find("eio") is session
    feed(OUT, masked("5"))
    assert sent[IN] == frame(1, b"3probe") + frame(1, b'42["left"]')
    assert [each.data for each in Reader().feed(sent[OUT])] == ["2probe", "5", '42["left"]']
