"""The records of one connection, of which bytes may be missing."""

from typing import Any

import pytest

from nsroom.capture.dialogue import Dialogue
from nsroom.proxy.notices import Notices
from nsroom.proxy.sessions import Sessions
from nsroom.record import Direction, Kind, Record
from tests.cli.capture.wire import CLIENT, SERVER
from tests.frames import MASK, frame

HANDSHAKE = b'0{"sid":"eio","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'
UPGRADE = b"GET /socket.io/?EIO=%d&transport=websocket%b HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n%b\r\n"
NAMES = ("10.0.0.1:50000", "10.0.0.2:3000")


class Trial:
    """A dialogue and its records, by kind and event."""

    def __init__(self, client: int | None = CLIENT, is_upgraded: bool = False, more: bytes = b"") -> None:
        self.said: list[str] = []
        self.records: list[Record] = []
        self.dialogue = Dialogue(Sessions(Notices("", print)), NAMES, client, self.said.append)
        self.at = 0
        if is_upgraded:
            self.client(UPGRADE % (4, b"&sid=eio"))
            self.server(SWITCHING % more)

    def client(self, data: bytes) -> list[Any]:
        return self._keep(self.dialogue.feed(CLIENT, data, self._tick()))

    def server(self, data: bytes) -> list[Any]:
        return self._keep(self.dialogue.feed(SERVER, data, self._tick()))

    def lose(self, side: int, count: int) -> list[Any]:
        return self._keep(self.dialogue.lose(side, count, self._tick()))

    def finish(self) -> list[Any]:
        return self._keep(self.dialogue.finish(self._tick()))

    def _tick(self) -> int:
        self.at += 1
        return self.at

    def _keep(self, records: list[Record]) -> list[Any]:
        self.records += records
        return [_brief(record) for record in records]


def _brief(record: Record) -> Any:
    if record.kind is Kind.GAP:
        return record.reason, str(record.data["direction"]), record.data["bytes"]
    return record.event or str(record.kind)


def event(name: str, size: int = 0) -> bytes:
    return b'42["%b","%b"]' % (name.encode(), b"x" * size)


def text(data: bytes, side: int = SERVER, compressed: bool = False) -> bytes:
    return frame(1, data, mask=MASK if side == CLIENT else b"", compressed=compressed)


def poll(sid: bytes = b"&sid=eio") -> bytes:
    return b"GET /socket.io/?EIO=4&transport=polling%b HTTP/1.1\r\nHost: a\r\n\r\n" % sid


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_connection_from_its_start() -> None:
    trial = Trial()
    trial.client(UPGRADE % (4, b""))
    assert trial.server(SWITCHING % b"" + text(HANDSHAKE)) == ["open"]
    assert trial.client(text(b"40", CLIENT)) == ["connect"]
    assert trial.server(text(event("a")) + text(event("b"))) == ["a", "b"]
    assert [record.sid for record in trial.records] == ["eio"] * 4
    assert [record.seq for record in trial.records] == [1, 2, 3, 4]
    assert trial.dialogue.end(CLIENT, 9) == trial.dialogue.end(SERVER, 9) == []
    (close,) = trial.dialogue.close(10)
    assert close.reason == "the client closed the connection without closing the WebSocket"


def test_a_hole_between_two_frames() -> None:
    trial = Trial(is_upgraded=True)
    assert trial.server(text(event("a"))) == ["a"]
    assert trial.lose(SERVER, 20) == [("missing", "in", 20)]
    assert trial.records[-1].message == "20 bytes from the server: not in the capture"
    assert trial.server(b"rest of something") == []
    assert trial.client(text(event("b"), CLIENT)) == ["b"]
    assert trial.server(text(event("c"))) == [("unreadable", "in", 17), "c"]
    assert [record.seq for record in trial.records] == list(range(1, 6))


def test_a_hole_within_a_frame_is_skipped_by_its_size() -> None:
    trial = Trial(is_upgraded=True)
    data = text(event("big", 500)) + text(event("c"))
    assert trial.server(data[:100]) == []
    assert trial.lose(SERVER, 50) == [("missing", "in", 50)]
    assert trial.server(data[150:200]) == []
    assert trial.lose(SERVER, 50) == [("missing", "in", 50)]
    assert trial.server(data[250:300]) == []
    assert trial.server(data[300:]) == [("unreadable", "in", len(text(event("big", 500))) - 200), "c"]


def test_a_hole_to_the_end_of_a_frame() -> None:
    trial = Trial(is_upgraded=True)
    data = text(event("big", 500))
    trial.server(data[:100])
    trial.lose(SERVER, len(data) - 100)
    assert trial.server(text(event("c", 10))[:8]) == []
    assert trial.server(text(event("c", 10))[8:]) == ["c"]


def test_the_rest_of_a_fragmented_message_is_not_taken_for_one() -> None:
    trial = Trial(is_upgraded=True)
    start = frame(1, event("big", 500), final=False)
    trial.server(start[:100])
    trial.lose(SERVER, len(start) - 100)
    assert trial.server(frame(0, b"2")) == []
    assert trial.server(text(event("c"))) == [("unreadable", "in", 3), "c"]


def test_attachments_of_a_missing_packet_are_not_malformed() -> None:
    trial = Trial(is_upgraded=True)
    assert trial.server(text(b'452-["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')) == []
    trial.lose(SERVER, 3)
    assert trial.server(frame(2, b"\x01")) == []
    assert trial.server(text(event("c"))) == ["c"]


def test_a_hole_in_a_poll() -> None:
    trial = Trial()
    trial.client(poll())
    assert trial.server(answer(event("a"))) == ["a"]
    trial.client(poll())
    data = answer(event("b", 200))
    trial.server(data[:50])
    assert trial.lose(SERVER, 50) == [("missing", "in", 50)]
    assert trial.server(data[100:]) == []
    trial.client(poll())
    unread = len(data) - 100
    assert trial.server(answer(event("c"))) == [("unreadable", "in", unread), "c"]


def test_a_missing_request() -> None:
    trial = Trial()
    trial.client(poll())
    trial.server(answer(event("a")))
    assert trial.lose(CLIENT, 99) == [("missing", "out", 99)]
    assert trial.server(answer(event("b"))) == []
    trial.client(poll())
    assert trial.server(answer(event("c"))) == [("unreadable", "in", len(answer(event("b")))), "c"]


def test_a_hole_before_it_is_known_what_the_connection_is() -> None:
    trial = Trial()
    trial.client(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
    assert trial.lose(SERVER, 1000) == []
    trial.client(poll())
    assert trial.server(answer(event("a"))) == [("missing", "in", 1000), "a"]


def test_the_answer_to_the_upgrade_is_missing() -> None:
    trial = Trial()
    trial.client(UPGRADE % (4, b"&sid=eio"))
    assert trial.client(text(b"2probe", CLIENT)) == []
    assert trial.lose(SERVER, 120) == [("missing", "in", 120), "ping"]
    assert trial.server(text(event("a"))) == ["a"]
    assert {record.sid for record in trial.records} == {"eio"}


def test_joined_in_the_middle_of_a_websocket() -> None:
    trial = Trial(client=None)
    assert trial.server(b"the rest of a message") == []
    assert trial.client(text(b"431[1]", CLIENT)) == [("joined", "out", 0), "ack"]
    assert trial.server(b"more of it") == []
    assert trial.server(text(event("a"))) == [("unreadable", "in", 10), "a"]
    assert {record.sid for record in trial.records} == {NAMES[CLIENT]}


def test_joined_in_the_middle_of_a_poll() -> None:
    trial = Trial(client=None)
    assert trial.server(answer(event("a"))) == []
    trial.client(poll())
    (gap, name) = trial.server(answer(event("b")))
    assert (gap, name) == (("joined", "in", len(answer(event("a")))), "b")
    whole = Trial(client=None)
    whole.client(poll())
    assert whole.server(answer(event("b"))) == ["b"]


@pytest.mark.parametrize(("ping", "pong"), [(CLIENT, SERVER), (SERVER, CLIENT)])
def test_the_revision_of_engine_io_is_guessed_by_who_pings(ping: int, pong: int) -> None:
    trial = Trial(client=None)
    trial.dialogue.feed(ping, text(b"2", ping), 1)
    trial.dialogue.feed(pong, text(b"3", pong), 2)
    is_old = ping == CLIENT
    assert trial.server(text(b'451-["b",{"_placeholder":true,"num":0}]')) == []
    trial.server(frame(2, b"\x04\x07" if is_old else b"\x07"))
    assert trial.records[-1].args == [b"\x07"]


def test_data_that_is_not_a_websocket_does_not_end_the_reading() -> None:
    trial = Trial(is_upgraded=True)
    assert trial.server(b"\xff\xff" * 10) == ["protocol_error"]
    assert trial.server(text(event("a"))) == [("unreadable", "in", 20), "a"]


def test_compressed_messages_that_need_a_missing_one() -> None:
    from zlib import DEFLATED, Z_SYNC_FLUSH, compressobj

    pack = compressobj(9, DEFLATED, -15)

    def packed(data: bytes) -> bytes:
        return text((pack.compress(data) + pack.flush(Z_SYNC_FLUSH))[:-4], compressed=True)

    trial = Trial(is_upgraded=True, more=b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert trial.server(packed(event("a", 50))) == ["a"]
    lost = packed(event("b", 50))
    assert trial.lose(SERVER, len(lost)) == [("missing", "in", len(lost))]
    unread = packed(event("b", 50))
    assert trial.server(unread) == []
    assert trial.server(text(event("plain"))) == [("unreadable", "in", len(unread)), "plain"]


def test_what_is_unread_at_the_end_is_reported() -> None:
    trial = Trial(is_upgraded=True)
    trial.server(text(event("a")))
    trial.lose(SERVER, 5)
    trial.server(b"unknown")
    assert trial.finish() == [("unreadable", "in", 7)]
    assert trial.finish() == []


def test_other_traffic_is_ignored() -> None:
    trial = Trial()
    assert trial.server(b"SSH-2.0-OpenSSH\r\n") == []
    assert trial.dialogue.is_ignored
    assert trial.client(poll()) == []
    other = Trial()
    other.client(b"GET /feed HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n")
    assert other.server(SWITCHING % b"" + text(event("a"))) == []
    assert other.dialogue.is_ignored
    assert other.dialogue.reset(SERVER, 9) == []


@pytest.mark.parametrize("client", [CLIENT, None])
def test_encrypted_connections_are_named(client: int | None) -> None:
    trial = Trial(client=client)
    assert trial.client(b"\x16\x03\x01\x02\0" + bytes(100)) == []
    assert trial.dialogue.is_ignored
    assert trial.said[0].startswith(
        "the connection of 10.0.0.1:50000 and 10.0.0.2:3000 is encrypted (TLS), so it cannot be read: use "
    )


def test_http_that_becomes_unreadable_starts_again_with_the_next_request() -> None:
    trial = Trial()
    trial.client(poll())
    trial.server(answer(event("a")))
    assert trial.server(b"garbage\r\n\r\n") == ["protocol_error"]
    trial.client(poll())
    assert trial.server(answer(event("b"))) == ["b"]


def test_a_reset() -> None:
    trial = Trial()
    trial.client(poll())
    (close,) = trial.dialogue.reset(SERVER, 5)
    assert (close.kind, close.direction) == (Kind.CLOSE, Direction.LOCAL)
    assert close.reason == "the server reset the connection before a request was answered"


def test_what_is_incomplete_is_discarded_for_its_size() -> None:
    trial = Trial(is_upgraded=True)
    trial.server(text(event("a")))
    big = text(event("big", 5000))
    trial.server(big[:4000])
    trial.client(text(b'421["asks"]', CLIENT))
    assert 4000 < trial.dialogue.held < 5000
    (gap,) = trial.dialogue.release(9)
    assert (gap.kind, gap.reason, gap.sid) == (Kind.GAP, "discarded", "eio")
    assert trial.dialogue.held == 0
    assert trial.server(big[4000:]) == []
    assert trial.server(text(event("b"))) == [("unreadable", "in", len(big) - 4000), "b"]


def test_requests_without_responses_are_discarded() -> None:
    trial = Trial()
    for _ in range(10):
        trial.client(b"GET / HTTP/1.1\r\n\r\n")
    assert trial.dialogue.held > 10_000
    assert trial.dialogue.release(9) == []
    assert trial.dialogue.held == 0
    trial.client(poll())
    assert trial.server(answer(event("a"))) == ["a"]


def test_a_close_frame_may_be_missing() -> None:
    trial = Trial(is_upgraded=True)
    trial.server(text(event("a")))
    trial.lose(CLIENT, 8)
    trial.dialogue.end(CLIENT, 8)
    (close,) = trial.dialogue.close(9)
    assert close.reason == "the client closed the connection"


def test_a_client_that_does_not_wait_for_the_upgrade_is_limited() -> None:
    trial = Trial()
    trial.client(UPGRADE % (4, b"&sid=eio"))
    for _ in range(100):
        trial.client(text(b"4" * 60_000, CLIENT))
        assert trial.dialogue.held < 2**18 + 100_000
    trial.server(SWITCHING % b"")
    unread = 100 * len(text(b"4" * 60_000, CLIENT))
    assert trial.client(text(b'421["b"]', CLIENT)) == [("unreadable", "out", unread), "b"]
