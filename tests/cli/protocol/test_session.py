"""Whole connections, frame by frame, one millisecond apart: `<` from the server, `>` to the server."""

import base64
import json
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import msgpack_parser
from nsroom.protocol import session as session_module
from nsroom.protocol.engineio import SEPARATOR, Handshake, byte_count, split_payload
from nsroom.protocol.limits import Limits
from nsroom.protocol.redaction import REDACTED
from nsroom.protocol.session import Observer
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Kind, Record

OPEN = '0{"sid":"e1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
Said = str | tuple[str, bytes]
WAYS = {"<": Direction.IN, ">": Direction.OUT}


def fed(observer: Observer, way: Direction, frame: str | bytes, at: int = 1) -> list[Record]:
    """Feed one frame; return its record in a list, which is empty if it completes none."""
    record = observer.feed(way, frame, at)
    return [] if record is None else [record]


def observe(*said: Said, observer: Observer | None = None) -> list[Record]:
    """Feed frames written as `"< 40"`, or as `("<", b"…")` if binary; return their records."""
    observer = observer or Observer()
    records: list[Record] = []
    for millisecond, each in enumerate(said):
        way, frame = (each[0], each[2:]) if isinstance(each, str) else each
        records += fed(observer, WAYS[way], frame, millisecond * 1000)
    return records


def shown(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the fields of records that are not None, without time and sequence number."""
    return [
        {
            key: value
            for key, value in record._asdict().items()
            if value is not None and key not in ("time", "seq")
        }
        for record in records
    ]


def event(direction: str, namespace: str, name: str, *args: Any, **fields: Any) -> dict[str, Any]:
    return {
        "direction": direction,
        "kind": "event",
        "namespace": namespace,
        "event": name,
        "args": [*args],
        **fields,
    }


def test_a_connection_from_the_handshake_to_the_end() -> None:
    observer = Observer()
    records = observe(
        f"< {OPEN}",
        "> 40",
        '< 40{"sid":"s1"}',
        '< 42["hi","everyone!"]',
        '> 421["join","lobby"]',
        '< 431[{"ok":true}]',
        "< 2",
        "> 3",
        "> 41",
        "> 1",
        observer=observer,
    )
    assert shown(records) == [
        {
            "direction": "in",
            "kind": "open",
            "sid": "e1",
            "data": {
                "upgrades": ["websocket"],
                "pingInterval": 25000,
                "pingTimeout": 20000,
                "maxPayload": 1000000,
            },
        },
        {"direction": "out", "kind": "connect", "namespace": "/"},
        {"direction": "in", "kind": "connect", "namespace": "/", "sid": "s1"},
        event("in", "/", "hi", "everyone!"),
        event("out", "/", "join", "lobby", id=1),
        {
            "direction": "in",
            "kind": "ack",
            "namespace": "/",
            "id": 1,
            "event": "join",
            "args": [{"ok": True}],
            "rtt_ms": 1.0,
        },
        {"direction": "in", "kind": "ping"},
        {"direction": "out", "kind": "pong"},
        {
            "direction": "out",
            "kind": "disconnect",
            "namespace": "/",
            "sid": "s1",
            "reason": "client namespace disconnect",
        },
        {"direction": "out", "kind": "close"},
    ]
    assert [record.seq for record in records] == list(range(1, 11))
    assert [record.time for record in records] == list(range(0, 10_000, 1000))
    assert observer.handshake == Handshake("e1", ("websocket",), 25000, 20000, 1000000)


def test_each_namespace_has_its_own_sid() -> None:
    observer = Observer()
    records = observe(
        "> 40/chat,",
        "> 40",
        '< 40{"sid":"root"}',
        '< 40/chat,{"sid":"chat"}',
        '< 44/secret,{"message":"no","data":{"code":1}}',
        '< 44/old,"not you"',
        "< 41/chat,",
        observer=observer,
    )
    assert observer.namespaces == {"/": "root"}
    assert shown(records[4:]) == [
        {
            "direction": "in",
            "kind": "connect_error",
            "namespace": "/secret",
            "message": "no",
            "data": {"message": "no", "data": {"code": 1}},
        },
        {
            "direction": "in",
            "kind": "connect_error",
            "namespace": "/old",
            "message": "not you",
            "data": "not you",
        },
        {
            "direction": "in",
            "kind": "disconnect",
            "namespace": "/chat",
            "sid": "chat",
            "reason": "server namespace disconnect",
        },
    ]


@pytest.mark.parametrize(
    ("connect", "namespaces"),
    [
        ("40", {"/": None}),
        ("40/chat", {"/chat": None}),
        ("40/chat?x=1,", {"/chat": None}),
    ],
)
def test_an_old_server_sends_no_sid(connect: str, namespaces: dict[str, None]) -> None:
    observer = Observer()
    observe(f"< {connect}", observer=observer)
    assert observer.namespaces == namespaces


def test_acknowledgements_are_paired_in_both_directions() -> None:
    """The same id, in two directions and two namespaces, belongs to four different events."""
    records = observe(
        '> 427["a"]',
        '< 427["b"]',
        '> 42/chat,7["c"]',
        '< 42/chat,7["d"]',
        "< 43/chat,7[]",
        "> 437[2]",
        "< 437[1]",
        "> 43/chat,7[]",
    )
    assert [(record.direction, record.event, record.rtt_ms) for record in records[4:]] == [
        ("in", "c", 2.0),
        ("out", "b", 4.0),
        ("in", "a", 6.0),
        ("out", "d", 4.0),
    ]


def test_a_question_of_the_server_waits_for_its_acknowledgement() -> None:
    observer = Observer(is_old=False)
    assert observer.question is None
    for way, frame in ((Direction.OUT, '427["mine"]'), (Direction.IN, '42/chat,7["theirs"]')):
        fed(observer, way, frame)
    assert (observer.question, observer.is_question("/chat", 7)) == ("theirs", True)
    assert not observer.is_question("/", 7)
    assert observer.unanswered(Direction.IN, "/chat", 7) == "theirs"
    assert observer.unanswered(Direction.OUT, "/chat", 7) is None
    fed(observer, Direction.OUT, "43/chat,7[]")
    assert (observer.question, observer.is_question("/chat", 7)) == (None, False)


def test_an_unexpected_acknowledgement_has_a_message() -> None:
    records = observe('> 421["a"]', "< 431[]", "< 431[]", "< 439[1]")
    assert [(record.event, record.rtt_ms, record.message) for record in records[1:]] == [
        ("a", 1.0, None),
        (None, None, "no event with this id was waiting"),
        (None, None, "no event with this id was waiting"),
    ]


def test_unanswered_events_take_limited_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_MAX_UNANSWERED", 3)
    records = observe(*(f'> 42{n}["e{n}"]' for n in range(5)), *(f"< 43{n}[]" for n in range(5)))
    assert [record.event for record in records[5:]] == [None, None, "e2", "e3", "e4"]


def test_the_names_of_unanswered_events_are_limited() -> None:
    records = observe(f'< 421["{"n" * 5000}"]', "> 431[]")
    assert [len(str(record.event)) for record in records] == [5000, 1024]


def test_namespaces_are_limited() -> None:
    observer = Observer(limits=Limits(namespaces=2))
    records = observe("< 40/a,{}", "< 40/b,{}", "< 40/c,{}", "< 40/a,{}", observer=observer)
    assert [record.kind.value for record in records] == ["connect", "connect", "protocol_error", "connect"]
    assert records[2].message == "more than 2 namespaces at offset 0"
    assert [*observer.namespaces] == ["/a", "/b"]


def test_the_upgrade_is_recorded() -> None:
    records = observe("> 2probe", "< 3probe", "> 5", "< 6")
    assert shown(records) == [
        {"direction": "out", "kind": "ping", "data": "probe"},
        {"direction": "in", "kind": "pong", "data": "probe"},
        {"direction": "out", "kind": "upgrade"},
    ]


BINARY = '51-["img",{"_placeholder":true,"num":0},{"n":1}]'
TWO = '452-3["img",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]'


def test_attachments_of_both_directions_do_not_mix() -> None:
    records = observe(
        f"< 4{BINARY}",
        f"> {TWO}",
        "> 3",
        "> bAQI=",
        ("<", b"in"),
        '< 42["after"]',
        (">", b"out"),
    )
    assert shown(records) == [
        {"direction": "out", "kind": "pong"},
        event("in", "/", "img", b"in", {"n": 1}),
        event("in", "/", "after"),
        event("out", "/", "img", b"out", b"\1\2", id=3),
    ]


def test_a_binary_acknowledgement_is_paired() -> None:
    records = observe('> 424["get"]', '< 461-4[{"_placeholder":true,"num":0}]', ("<", b"\0\1"))
    assert shown(records[1:]) == [
        {
            "direction": "in",
            "kind": "ack",
            "namespace": "/",
            "id": 4,
            "event": "get",
            "args": [b"\0\1"],
            "rtt_ms": 2.0,
        }
    ]


@pytest.mark.parametrize(
    ("said", "message", "frames"),
    [
        (['< 42["cut'], "not JSON", ['42["cut']),
        (["< "], "an empty frame", [""]),
        (["< 9"], "unknown Engine.IO packet type '9'", ["9"]),
        (["< 4"], "an empty Socket.IO packet", ["4"]),
        (["< 48[]"], "unknown Socket.IO packet type '8'", ["48[]"]),
        (["< 42[true]"], "must be a list that starts with the event's name", ["42[true]"]),
        (["< 43[]"], "without an id", ["43[]"]),
        (['< 40{"sid":5}'], "the `sid` of CONNECT must be a non-empty string", ['40{"sid":5}']),
        (['< 40{"sid":""}'], "the `sid` of CONNECT must be a non-empty string", ['40{"sid":""}']),
        (["< 0{}"], "the handshake's `sid` must be a non-empty string", ["0{}"]),
        (["< bA*"], "binary data that no packet announced", ["bA*"]),
        ([("<", b"\x07")], "binary data that no packet announced", [b"\x07"]),
        ([f"< 4{BINARY}", '< 42["x"]'], "expected a binary attachment, not text", [f"4{BINARY}", '42["x"]']),
        ([f"< 4{BINARY}", "< b!"], "not base64", [f"4{BINARY}", "b!"]),
        ([f"< {TWO}", ("<", b"1"), "< 9"], "unknown Engine.IO packet", [TWO, b"1", "9"]),
        (
            ['< 451-["x"]', ("<", b"\x01")],
            "no placeholder for attachment 0",
            ['451-["x"]', b"\x01"],
        ),
    ],
)
def test_malformed_frames_are_recorded_whole_and_the_next_frame_is_read(
    said: list[Said], message: str, frames: list[str | bytes]
) -> None:
    before, error, after = observe('< 42["before"]', *said, '< 42["after"]')
    assert (before.event, after.event) == ("before", "after")
    assert (error.kind, error.direction, error.frames) == (Kind.PROTOCOL_ERROR, Direction.IN, frames)
    assert error.bytes == sum(len(frame) for frame in frames)
    assert message in str(error.message)


def test_a_packet_is_limited_with_all_its_attachments() -> None:
    observer = Observer(limits=Limits(packet=len(TWO) + 10))
    observe(f"< {TWO}", ("<", bytes(5)), ("<", bytes(5)), observer=observer)
    error, after = observe(f"< {TWO}", ("<", bytes(5)), ("<", bytes(6)), '< 42["after"]', observer=observer)
    assert error.message == f"larger than {len(TWO) + 10} bytes with its attachments at offset 0"
    assert error.frames == [TWO, bytes(6)]
    assert after.event == "after"


def test_a_malformed_frame_does_not_affect_the_other_direction() -> None:
    records = observe(f"< 4{BINARY}", "> 9", ("<", b"ok"))
    assert [record.kind for record in records] == [Kind.PROTOCOL_ERROR, Kind.EVENT]


def test_a_malformed_handshake_does_not_replace_the_first() -> None:
    observer = Observer()
    observe(f"< {OPEN}", "< 0{}", observer=observer)
    assert observer.handshake
    assert observer.handshake.sid == "e1"


def test_the_limits_are_the_callers() -> None:
    (record,) = observe('< 42["long enough"]', observer=Observer(limits=Limits(frame=8)))
    assert (record.kind, record.message) == (Kind.PROTOCOL_ERROR, "larger than 8 characters at offset 0")


RECOVERED = '40{"sid":"s1","pid":"p1"}'


def test_recovery_offsets_are_separated_from_the_arguments() -> None:
    observer = Observer()
    records = observe(
        f"< {RECOVERED}",
        '< 42["news","one","O1yPq3A"]',
        '< 42["news","two","O1yPq3A.x9"]',
        '< 42["volatile","no offset"]',
        '< 42["volatile"]',
        '< 425["asked","O1yPq3A"]',
        '> 42["mine","O1yPq3A"]',
        observer=observer,
    )
    assert shown(records) == [
        {"direction": "in", "kind": "connect", "namespace": "/", "sid": "s1"},
        event("in", "/", "news", "one", data={"offset": "O1yPq3A"}),
        event("in", "/", "news", "two", data={"offset": "O1yPq3A.x9"}),
        event("in", "/", "volatile", "no offset"),
        event("in", "/", "volatile"),
        event("in", "/", "asked", "O1yPq3A", id=5),
        event("out", "/", "mine", "O1yPq3A"),
    ]
    assert (observer.recovery, observer.offsets) == ({"/": "p1"}, {"/": "O1yPq3A.x9"})


def test_without_recovery_every_argument_is_kept() -> None:
    assert shown(observe('< 40{"sid":"s1"}', '< 42["news","O1yPq3A"]'))[1] == event(
        "in", "/", "news", "O1yPq3A"
    )


def test_a_server_that_no_longer_recovers_adds_no_offsets() -> None:
    """After a restart with other options, or with another load balancer, its answer has no `pid`."""
    observer = Observer()
    observer.recovery["/"] = "p0"
    records = observe('< 40{"sid":"s2"}', '< 42["news","O1yPq3A"]', observer=observer)
    assert shown(records)[1] == event("in", "/", "news", "O1yPq3A")
    assert (observer.recovery, observer.offsets) == ({}, {})


def test_raw_records_have_their_frames_and_sizes() -> None:
    records = observe(
        f"< {OPEN}",
        '< 42["é"]',
        f"< 4{BINARY}",
        ("<", b"\1\2"),
        "> 3",
        observer=Observer(raw=True),
    )
    assert [(record.bytes, record.frames) for record in records] == [
        (len(OPEN), [OPEN]),
        (8, ['42["é"]']),
        (len(BINARY) + 3, [f"4{BINARY}", b"\1\2"]),
        (1, ["3"]),
    ]


@pytest.mark.parametrize("namespace", ["", "/chat,"])
def test_credentials_are_never_recorded(namespace: str) -> None:
    said = f'> 40{namespace}{{"token":"s3cret"}}'
    (plain,) = observe(said)
    (raw,) = observe(said, observer=Observer(raw=True))
    assert "s3cret" not in repr((plain, raw))
    assert raw.frames == [f"40{namespace}{REDACTED}"]
    assert raw.bytes == byte_count(raw.frames)


def test_a_connect_without_a_payload_is_recorded_unchanged() -> None:
    assert observe("> 40/chat,", observer=Observer(raw=True))[0].frames == ["40/chat,"]


def test_credentials_in_a_malformed_connect_are_not_recorded() -> None:
    (record,) = observe('> 40{"token":"s3cret"', observer=Observer(raw=True))
    assert record.kind is Kind.PROTOCOL_ERROR
    assert "s3cret" not in repr(record)


def test_notes_are_part_of_the_sequence() -> None:
    observer = Observer()
    first = observer.note(Kind.GAP, 5, reason="transport close")
    (second,) = observe("< 2", observer=observer)
    assert (first.seq, first.direction, first.time, second.seq) == (1, Direction.LOCAL, 5, 2)


@pytest.mark.parametrize(
    ("frames", "size"), [([], 0), (["4é"], 3), (["4\ud800"], 4), ([b"\xff\0"], 2), (["a", b"bc"], 3)]
)
def test_bytes_are_counted_as_on_the_wire(frames: list[str | bytes], size: int) -> None:
    assert byte_count(frames) == size


ANY_TEXT = st.text(st.characters(exclude_categories=[]))
PIECES = st.sampled_from(
    [
        *('40{"sid":"a"}', "40/x", "41", '42["e"]', '429["e",1]', "439[]", "2", "3probe", "5", "1", "6"),
        *(f"4{BINARY}", TWO, "bAQ==", OPEN, RECOVERED, '44"x"', b"", b"\0", "4", "b", ""),
    ]
)
FRAMES = PIECES | ANY_TEXT | st.binary() | st.from_regex(r"4[0-6]([0-9]-)?(/[a-z]*,)?[0-9]*\[.*\]")


@given(st.lists(st.tuples(st.sampled_from([Direction.IN, Direction.OUT]), FRAMES)), st.booleans())
def test_any_frames_give_consecutive_records(said: list[tuple[Direction, str | bytes]], raw: bool) -> None:
    observer = Observer(raw=raw)
    records = [record for way, frame in said for record in fed(observer, way, frame)]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert all(record.direction in (Direction.IN, Direction.OUT) for record in records)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | ANY_TEXT, st.lists, max_leaves=5
)


def _event(namespace: str, name: str, args: list[Any], blobs: list[bytes]) -> list[str | bytes]:
    head = f"45{len(blobs)}-" if blobs else "42"
    places = [{"_placeholder": True, "num": number} for number in range(len(blobs))]
    return [f"{head}{namespace}{json.dumps([name, *args, *places])}", *blobs]


CONVERSATIONS = st.lists(
    st.builds(
        _event,
        st.sampled_from(["", "/chat,"]),
        ANY_TEXT,
        st.lists(JSON, max_size=2),
        st.lists(st.binary(max_size=4), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@given(CONVERSATIONS, st.lists(st.booleans(), min_size=30, max_size=30))
def test_the_division_into_polling_bodies_does_not_matter(
    packets: list[list[str | bytes]], cuts: list[bool]
) -> None:
    """A polling body may end anywhere between two frames, within a binary packet too."""
    frames = [frame for packet in packets for frame in packet]
    bodies: list[list[str]] = [[]]
    for frame, cut in zip(frames, cuts, strict=False):
        if cut and bodies[-1]:
            bodies.append([])
        bodies[-1].append(frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode())
    polling, websocket = Observer(), Observer()
    polled = [
        record
        for body in bodies
        for frame in split_payload(SEPARATOR.join(body))
        for record in fed(polling, Direction.IN, frame)
    ]
    assert polled == [record for frame in frames for record in fed(websocket, Direction.IN, frame)]
    assert len(polled) == len(packets)


# Socket.IO 2, and packets in MessagePack


def test_a_session_of_socket_io_2() -> None:
    opened, root, chat, event, refused = observe(
        f"< {OPEN}",
        "< 40",
        "< 40/chat,",
        '< 451-/chat,["b",{"_placeholder":true,"num":0}]',
        ("<", b"\4\1\2"),
        '< 44/secret,"no"',
        observer=Observer(raw=True, is_old=True),
    )
    assert (opened.kind, root.kind, root.sid, chat.sid) == (Kind.OPEN, Kind.CONNECT, "e1", "/chat#e1")
    assert (event.event, event.args) == ("b", [b"\1\2"])
    assert event.frames == ['451-/chat,["b",{"_placeholder":true,"num":0}]', b"\4\1\2"]
    assert (refused.kind, refused.message, refused.data) == (Kind.CONNECT_ERROR, "no", "no")


def test_polled_binary_of_socket_io_2_is_recorded_as_on_the_wire() -> None:
    (event,) = observe(
        '< 451-["b",{"_placeholder":true,"num":0}]', "< b4AQI=", observer=Observer(raw=True, is_old=True)
    )
    assert (event.args, (event.frames or [])[1]) == ([b"\1\2"], "b4AQI=")


def packed(kind: int, data: Any = None, id: int | None = None) -> bytes:
    return msgpack_parser.encode(Packet(PacketType(kind), "/chat", id, data))


@pytest.mark.parametrize(
    ("is_old", "wrap"),
    [
        (False, lambda data: data),
        (False, lambda data: "b" + base64.b64encode(data).decode()),
        (True, lambda data: b"\4" + data),
        (True, lambda data: "b4" + base64.b64encode(data).decode()),
    ],
)
def test_packets_in_messagepack(is_old: bool, wrap: Any) -> None:
    observer = Observer(raw=True, is_old=is_old)
    said = [(Direction.OUT, packed(2, ["ask", b"\1"], 3)), (Direction.IN, packed(3, [b"\2", "x"], 3))]
    asked, answered = [
        record for at, (way, data) in enumerate(said) for record in fed(observer, way, wrap(data), at * 1000)
    ]
    assert (asked.kind, asked.namespace, asked.event, asked.args, asked.id) == (
        Kind.EVENT,
        "/chat",
        "ask",
        [b"\1"],
        3,
    )
    assert (answered.kind, answered.event, answered.args, answered.rtt_ms) == (
        Kind.ACK,
        "ask",
        [b"\2", "x"],
        1,
    )
    assert (asked.frames, answered.frames) == ([wrap(said[0][1])], [wrap(said[1][1])])
    assert observer.is_msgpack


def test_control_packets_of_socket_io_2_in_messagepack() -> None:
    observer = Observer(raw=True, is_old=True)
    connect, disconnect = observe('< 4{"type":0,"nsp":"/a"}', '< 4{"type":1,"nsp":"/a"}', observer=observer)
    assert (connect.kind, connect.namespace, disconnect.kind) == (Kind.CONNECT, "/a", Kind.DISCONNECT)
    assert connect.frames == ['4{"type":0,"nsp":"/a"}']


def test_malformed_messagepack_is_recognised_after_a_packet_in_messagepack() -> None:
    observer = Observer()
    before, _, after = observe(("<", b"\1"), ("<", packed(0, {"sid": "x"})), ("<", b"\1"), observer=observer)
    assert before.message == "binary data that no packet announced at offset 0"
    assert after.message == "a packet must be a map of type, data, nsp and id at offset 0"
    assert observe("< 4{x", observer=Observer())[0].message == "unknown Socket.IO packet type '{' at offset 0"


def test_a_connect_in_messagepack_is_never_recorded() -> None:
    whole = packed(0, {"token": "s3cret"})
    for frame in (whole, whole[:-1]):
        (record,) = observe((">", frame), observer=Observer(raw=True))
        assert record.frames == [REDACTED]


@given(
    st.lists(st.tuples(st.sampled_from(list(Direction)[:2]), st.text("b4{0:A=/") | st.binary())),
    st.booleans(),
)
def test_any_frames_of_any_generation_are_records(said: list[tuple[Direction, Any]], is_old: bool) -> None:
    observer = Observer(raw=True, is_old=is_old)
    for way, frame in said:
        for record in fed(observer, way, frame):
            assert record.direction is way


def test_an_incomplete_packet_is_forgotten_when_frames_are_missing() -> None:
    observer = Observer()
    assert observer.feed(Direction.IN, '451-["a",{"_placeholder":true,"num":0}]', 1) is None
    observer.discard_incomplete(Direction.IN)
    observer.discard_incomplete(Direction.OUT)
    assert not observer.is_incomplete(Direction.IN)
    record = observer.feed(Direction.IN, '42["b"]', 2)
    assert record is not None
    assert record.event == "b"


def test_the_state_that_a_connection_takes_can_be_released() -> None:
    observer = Observer()
    observer.feed(Direction.IN, '40{"sid":"a","pid":"b"}', 1)
    observer.feed(Direction.IN, '421["asks"]', 2)
    observer.feed(Direction.OUT, '451-["a",{"_placeholder":true,"num":0}]', 3)
    assert observer.held > 1000
    observer.release()
    assert (observer.held, observer.question, observer.is_incomplete(Direction.OUT)) == (0, None, False)


class Slow(Observer):
    """Reads a plain frame as any other."""

    def _plain(self, *_: Any) -> None:
        return None


class Quick(Observer):
    """Reads plain frames only."""

    def _message(self, *_: Any) -> Any:
        raise DecodeError("not plain", "")


def asking(kind: type[Observer] = Observer, **options: Any) -> Observer:
    """Return an observer of a connection that waits for the acknowledgements 0 to 2, in / and in /n.

    The namespace /r can recover its connection.
    """
    observer = kind(**options)
    observer.recovery["/r"] = "p"
    for id, namespace, way in product(range(3), ("/", "/n"), WAYS.values()):
        observer.note_question(way, Packet(PacketType.EVENT, namespace, id, ["e"]), id)
    return observer


NAMESPACES = ("", "/n,", "/,", "/r,", "/a,b,", "/n?x=1,", "/n", '/{"a":"b"},', f"/{'n' * 300},", "/[,")
IDS = ("", "0", "1", "007", "5", "9007199254740991", "9007199254740992", "²")
PAYLOADS = (
    '["a"]',
    '["a",{"b":[1.5]}]',
    '["a","0123456"]',
    '["a" ,2]',
    ' ["a"]',
    '["a"] ',
    '["\ud800"]',
    "[1]",
)
ODD = ("[]", "[[1]]", "[true]", "[null,1]", "{}", "[1", "[1]2", '["a",NaN]', "[1,1e999]", "é", "")
FRAMES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["42", "43", "451-", "461-", "4", "b4", "2", "03"]),
    *map(st.sampled_from, (NAMESPACES, IDS, PAYLOADS + ODD)),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*WAYS.values()]),
            FRAMES | FRAMES.map(lambda text: text.encode("utf-8", "replace")) | st.just(b"\0"),
        ),
        max_size=4,
    ),
    st.fixed_dictionaries({"raw": st.booleans(), "is_old": st.booleans()}),
)
def test_a_plain_frame_is_read_as_any_other(
    said: list[tuple[Direction, Any]], options: dict[str, Any]
) -> None:
    observer, slow = asking(**options), asking(Slow, **options)
    for at, (way, frame) in enumerate(said):
        assert observer.feed(way, frame, at) == slow.feed(way, frame, at)
    assert (observer.offsets, observer.held, observer.is_msgpack) == (
        slow.offsets,
        slow.held,
        slow.is_msgpack,
    )


@pytest.mark.parametrize(
    ("frame", "options", "is_plain"),
    [
        ("431[1]", {}, True),
        ("437[]", {}, True),
        (b"431[1]", {}, False),
        ("431[1]", {"raw": True}, True),
        ("431[1]", {"is_old": True}, False),
        ("431[1]", {"limits": Limits(id=0)}, False),
        ("431[1]", {"limits": Limits(frame=5)}, False),
        ("431[[1]]", {"limits": Limits(depth=1)}, False),
        ("43/n,1[1]", {}, False),
        ("431", {}, False),
        ('42["a",1]', {}, True),
        ('42["a",1]', {"limits": Limits(id=0)}, True),
        ('42/n,["a",1]', {}, True),
        (b'42["a",1]', {}, False),
        ('42["a",1]', {"raw": True}, True),
        ('42["a",1]', {"is_old": True}, False),
        ('42["a",1]', {"limits": Limits(frame=8)}, False),
        ('42["a",[1]]', {"limits": Limits(depth=1)}, False),
        ('42/name,["a"]', {"limits": Limits(namespace=4)}, False),
        ('42/name,["a"]', {"limits": Limits(namespace=5)}, True),
        ('42/r,["a","0123456"]', {}, False),
        ('421["a"]', {}, False),
        ("42[[1]]", {}, False),
    ],
)
def test_which_frames_are_plain(frame: str | bytes, options: dict[str, Any], is_plain: bool) -> None:
    record = asking(Quick, **options).feed(Direction.IN, frame, 9)
    assert record is not None
    assert (record.kind is not Kind.PROTOCOL_ERROR) is is_plain


def test_no_frame_is_plain_while_an_attachment_is_missing() -> None:
    observer = asking()
    observer.feed(Direction.IN, '451-["e",{"_placeholder":true,"num":0}]', 9)
    record = observer.feed(Direction.IN, '42["a"]', 9)
    assert record is not None
    assert (record.kind, record.message) == (
        Kind.PROTOCOL_ERROR,
        "expected a binary attachment, not text at offset 0",
    )
