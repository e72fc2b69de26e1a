"""When a held session's heartbeat is late, and the request that sends it."""

from nsroom.protocol.engineio import Handshake
from nsroom.protocol.websocket import Message, Opcode
from nsroom.proxy.heartbeats import MAX_ABSENCE, MAX_SESSIONS, Heartbeats
from nsroom.record import Direction, Kind, Record

SECOND = 1_000_000
HEAD = (
    b"GET /socket.io/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\n"
    b"Connection: keep-alive\r\nAccept-Encoding: gzip\r\nContent-Length : 5\r\n\r\n"
)


def send(_opcode: Opcode, _data: bytes) -> bool:
    return True


def held(is_old: bool = False, over: bool = False, sid: str = "a") -> Heartbeats:
    """Return the heartbeats of one session, with a ping every 25 s and 20 s for its answer."""
    heartbeats = Heartbeats()
    heartbeats.open(Handshake(sid, (), 25_000, 20_000, None), is_old, 0, HEAD, send if over else None)
    return heartbeats


def late(heartbeats: Heartbeats, seconds: float) -> list[str]:
    return [each.sid for each in heartbeats.late(int(seconds * SECOND))]


def packet(kind: Kind, seconds: int = 0, direction: Direction = Direction.OUT, **fields: str) -> Record:
    return Record(seconds * SECOND, 1, direction, kind, sid="a", **fields)


def test_a_heartbeat_is_late_after_half_the_timeout() -> None:
    heartbeats = held()
    assert heartbeats.next_due(0) == 35 * SECOND
    assert late(heartbeats, 34.9) == []
    assert late(heartbeats, 35) == ["a"]


def test_one_that_could_not_be_sent_is_late_again_after_a_second() -> None:
    heartbeats = held()
    assert [late(heartbeats, seconds) for seconds in (36, 36.9, 37)] == [["a"], [], ["a"]]


def test_a_heartbeat_of_the_client_puts_off_the_next() -> None:
    for is_old, kind in ((False, Kind.PONG), (True, Kind.PING)):
        heartbeats = held(is_old)
        heartbeats.see(packet(kind, 20), None)
        assert late(heartbeats, 54) == []
        for other in (
            packet(kind, 30, data="probe"),
            packet(kind, 30, Direction.IN),
            packet(Kind.PING if kind is Kind.PONG else Kind.PONG, 30),
            packet(kind, 30)._replace(sid="b"),
        ):
            heartbeats.see(other, None)
        assert late(heartbeats, 55) == ["a"]


def test_heartbeats_wait_for_the_end_of_a_post() -> None:
    heartbeats = held()
    heartbeats.request("a", HEAD, True, 30 * SECOND)
    assert late(heartbeats, 40) == []
    heartbeats.response("a")
    assert late(heartbeats, 40) == ["a"]
    heartbeats.request("b", HEAD, True, 30 * SECOND)
    heartbeats.response("b")


def test_a_session_ends_with_its_transport() -> None:
    heartbeats = held()
    heartbeats.see(packet(Kind.UPGRADE), send)
    heartbeats.forget("a")  # its polling
    assert late(heartbeats, MAX_ABSENCE) == ["a"]
    heartbeats.forget("a", send)
    assert heartbeats.find("a") is None
    for heartbeats in (held(), held(over=True)):
        heartbeats.see(packet(Kind.CLOSE), None)
        assert heartbeats.find("a") is None


def test_a_client_that_does_not_poll_for_an_hour_is_given_up() -> None:
    heartbeats = held()
    heartbeats.request("a", HEAD, False, 100 * SECOND)
    assert late(heartbeats, 3700) == ["a"]
    assert late(heartbeats, 3702) == []
    assert heartbeats.find("a") is None


def test_a_websocket_ping_is_unanswered_after_five_seconds() -> None:
    heartbeats = held(over=True)
    ping = Message(Opcode.PING, b"x", 0, 3, True)
    for other in (ping._replace(opcode=Opcode.PONG), ping._replace(opcode=Opcode.CLOSE)):
        heartbeats.control("a", Direction.IN, other, 0)
    heartbeats.control("b", Direction.IN, ping, 0)
    heartbeats.control("a", Direction.OUT, ping, 0)
    assert [*heartbeats.unanswered(60 * SECOND)] == []
    heartbeats.control("a", Direction.IN, ping, SECOND)
    assert heartbeats.next_due(2 * SECOND) == 4 * SECOND
    assert [*heartbeats.unanswered(5 * SECOND)] == []
    assert [each.ping for each in heartbeats.unanswered(6 * SECOND)] == [b"x"]
    heartbeats.control("a", Direction.OUT, ping._replace(opcode=Opcode.PONG), 6 * SECOND)
    assert [*heartbeats.unanswered(60 * SECOND)] == []


def test_sessions_are_limited() -> None:
    heartbeats = Heartbeats()
    for number in range(MAX_SESSIONS + 1):
        heartbeats.open(Handshake(str(number), (), 1, 1, None), False, 0, b"", None)
    assert heartbeats.find("0") is None
    assert heartbeats.find("1") is not None


def test_the_request_has_the_clients_headers() -> None:
    session = held().find("a")
    assert session is not None
    assert session.post() == (
        b"POST /socket.io/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\n"
        b"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 1\r\nConnection: close\r\n\r\n3"
    )


def test_the_request_after_the_handshake_names_the_session() -> None:
    heartbeats = held(is_old=True, sid="a&b")
    heartbeats.request("a&b", b"GET /?EIO=3&transport=polling HTTP/1.1\nHost: a\n\n", False, 0)
    heartbeats.request("a&b", bytes(100_000), False, 0)
    session = heartbeats.find("a&b")
    assert session is not None
    head, _, body = session.post().partition(b"\r\n\r\n")
    assert (head.split(b" ")[1], body) == (b"/?EIO=3&transport=polling&sid=a%26b", b"1:2")
