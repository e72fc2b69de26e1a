"""Engine.IO sessions by sid, across the connections that carry them."""

import pytest

from nsroom.protocol.websocket import MAX_MESSAGE
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import MAX_SESSIONS, Link, Sessions
from nsroom.record import Direction, Kind

IN, OUT = Direction.IN, Direction.OUT
PATH, POLLING = "/socket.io/", "polling"
HANDSHAKE = '0{"sid":"eio","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'


def new_sessions() -> Sessions:
    return Sessions(Notices("http://localhost:3000", print))


def test_a_session_has_its_sid_after_the_handshake() -> None:
    sessions = new_sessions()
    link = Link(sessions, None, False, PATH, POLLING)
    assert (link.sid, len(sessions)) == (None, 0)
    (opened,) = link.feed(IN, HANDSHAKE, 1)
    assert (opened.sid, opened.data["transport"]) == ("eio", POLLING)
    assert (link.sid, len(sessions)) == ("eio", 1)
    assert link.note(Kind.GAP, 2).sid == "eio"


def test_links_with_the_same_sid_share_the_session() -> None:
    sessions = new_sessions()
    poll, post = Link(sessions, "eio", False, PATH, POLLING), Link(sessions, "eio", False, PATH, POLLING)
    (asked,) = post.feed(OUT, '421["ask"]', 1000)
    (answered,) = poll.feed(IN, "431[]", 3000)
    assert (answered.event, answered.rtt_ms) == ("ask", 2.0)
    assert answered.seq == asked.seq + 1
    assert len(sessions) == 1


def test_attachments_are_awaited_across_links() -> None:
    sessions = new_sessions()
    assert (
        Link(sessions, "eio", False, PATH, POLLING).feed(IN, '451-["b",{"_placeholder":true,"num":0}]', 1)
        == []
    )
    link = Link(sessions, "eio", False, PATH, POLLING)
    assert link.is_incomplete(IN)
    assert not link.is_incomplete(OUT)
    (record,) = link.feed(IN, b"\x01", 2)
    assert record.args == [b"\x01"]


def test_a_packet_with_attachments_is_limited() -> None:
    link = Link(new_sessions(), "eio", False, PATH, POLLING)
    assert link.feed(IN, '451000-["b",{"_placeholder":true,"num":0}]', 1) == []
    half = bytes(MAX_MESSAGE // 2)
    assert link.feed(IN, half, 2) == []
    (record,) = link.feed(IN, half, 3)
    assert record.kind is Kind.PROTOCOL_ERROR
    assert "with its attachments" in str(record.message)
    assert not link.is_incomplete(IN)


def test_the_sid_of_a_namespace_is_kept_in_the_data() -> None:
    (record,) = Link(new_sessions(), "eio", False, PATH, POLLING).feed(IN, '40/chat,{"sid":"socket"}', 1)
    assert (record.sid, record.namespace, record.data) == ("eio", "/chat", {"sid": "socket"})


@pytest.mark.parametrize(
    ("is_old", "direction", "frame", "said"),
    [
        (False, OUT, '40/chat,{"token":"s3cret"}', "/chat --path /ws/ --auth 'token=…'"),
        (False, OUT, "40", " --path /ws/"),
        (True, IN, "40", " --path /ws/ --protocol 3"),
    ],
)
def test_the_first_session_is_reported(is_old: bool, direction: Direction, frame: str, said: str) -> None:
    lines: list[str] = []
    sessions = Sessions(Notices("http://localhost:3000", lines.append))
    for sid in ("one", "two"):
        Link(sessions, sid, is_old, "/ws/", POLLING).feed(direction, frame, 1)
    assert lines == [f"first session: nsroom connect http://localhost:3000{said}"]


def test_a_session_ends_with_the_websocket_that_it_started_on() -> None:
    sessions = new_sessions()
    link = Link(sessions, None, False, PATH, POLLING)
    link.close()
    link.feed(IN, HANDSHAKE, 1)
    link.close()
    assert len(sessions) == 0


def test_a_session_ends_with_its_websocket_only_after_the_upgrade() -> None:
    sessions = new_sessions()
    probe = Link(sessions, "eio", False, PATH, POLLING)
    probe.close()
    assert len(sessions) == 1
    upgraded = Link(sessions, "eio", False, PATH, POLLING)
    upgraded.feed(OUT, "5", 1)
    upgraded.close()
    assert len(sessions) == 0


def test_a_close_packet_ends_the_session() -> None:
    sessions = new_sessions()
    Link(sessions, "eio", False, PATH, POLLING).feed(IN, "1", 1)
    assert len(sessions) == 0


def test_the_least_recently_used_session_is_forgotten() -> None:
    sessions = new_sessions()
    first = sessions.find("0")
    for number in range(1, MAX_SESSIONS):
        sessions.find(str(number))
    assert sessions.find("0") is first
    sessions.find("new")
    assert len(sessions) == MAX_SESSIONS
    assert sessions.find("0") is first


def test_sessions_can_be_released() -> None:
    sessions = new_sessions()
    sessions.find("eio").feed(IN, '421["asks"]', 2)
    assert sessions.held >= 500
    sessions.release()
    assert (sessions.held, len(sessions)) == (0, 0)
