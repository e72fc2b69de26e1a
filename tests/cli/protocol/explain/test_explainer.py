"""Explanations of every character of a frame."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.ndjson import encode_value
from nsroom.protocol import msgpack_parser
from nsroom.protocol.explain.explainer import Explainer, Explanation, Found
from nsroom.protocol.explain.fields import Field, preview
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction


def explain(*frames: str | bytes) -> list[Explanation]:
    explainer = Explainer()
    return [explainer.explain(Found(frame)) for frame in frames]


def fields(frame: str | bytes) -> list[tuple[Any, ...]]:
    return [tuple(field.values()) for field in explain(frame)[0].fields]


def test_every_part_of_a_binary_event_and_its_attachment() -> None:
    event, attachment, surplus = explain(
        '451-/chat,12["b",{"_placeholder":true,"num":0}]', "bAQID", b"\1" * 17
    )
    assert event.fields == [
        Field(at=0, text="4", name="engine.io type", meaning="message"),
        Field(at=1, text="5", name="socket.io type", meaning="binary event"),
        Field(at=2, text="1-", name="attachments", meaning="1 to follow"),
        Field(at=4, text="/chat,", name="namespace", meaning="/chat"),
        Field(at=10, text="12", name="id", meaning="wants an acknowledgement"),
        Field(
            at=12,
            text='["b",{"_placeholder":true,"num":0}]',
            name="payload",
            meaning="JSON: list of 2 items, with attachment 0",
        ),
        Field(at=13, text='"b"', name="event", meaning="b"),
        Field(at=17, text='{"_placeholder":true,"num":0}', name="argument 1", meaning="attachment 0"),
    ]
    assert attachment.fields == [
        Field(at=0, text="b", name="engine.io type", meaning="message, binary in base64"),
        Field(at=1, text="AQID", name="attachment 0 of event b", meaning="3 bytes: 01 02 03"),
    ]
    assert surplus.fields[0]["name"] == "binary data that no packet announced"
    assert surplus.fields[0]["meaning"] == f"17 bytes: {'01 ' * 16}…"


@pytest.mark.parametrize(
    ("frame", "last"),
    [
        ("2", (0, "2", "engine.io type", "ping")),
        ("2probe", (1, "probe", "data", "tries this transport")),
        ("3probe", (1, "probe", "data", "this transport works")),
        ("2x", (1, "x", "data", "text")),
        ("41/admin,", (2, "/admin,", "namespace", "/admin")),
        ("40/admin", (2, "/admin", "namespace", "/admin")),
        ("40/a?b=c,", (2, "/a?b=c,", "namespace", "/a, with the query b=c")),
        ('40{"token":"é"}', (11, '"é"', "token", "text of 1 character")),
        ("40/a,{…}", (5, "{…}", "payload", "left out when this was recorded")),
        ('44"no"', (2, '"no"', "payload", "JSON: text of 2 characters")),
        ("4312[]", (4, "[]", "payload", "JSON: list of 0 items")),
        ('4312["a" , null ]', (11, "null", "argument 2", "null")),
        ('42["a",true]', (7, "true", "argument 1", "true")),
        ('42["a",-1.5e3]', (7, "-1.5e3", "argument 1", "number")),
        ('42["a",[1]]', (7, "[1]", "argument 1", "list of 1 item")),
        ("42[1]", (3, "1", "event", "1")),
        (
            '42["connect"]',
            (3, '"connect"', "event", "connect, a reserved name: JavaScript peers end the connection"),
        ),
        (
            '42["a",{"_placeholder":true,"num":0}]',
            (7, '{"_placeholder":true,"num":0}', "argument 1", "object of 2 members"),
        ),
        (
            '461-1[{"b":[{"_placeholder":true,"num":0}]}]',
            (
                6,
                '{"b":[{"_placeholder":true,"num":0}]}',
                "argument 1",
                "object of 1 member, with attachment 0",
            ),
        ),
    ],
)
def test_the_last_part_of_a_frame(frame: str, last: tuple[Any, ...]) -> None:
    assert fields(frame)[-1] == last


def test_the_first_argument_of_an_acknowledgement_is_number_1() -> None:
    names = [name for _, _, name, _ in fields('4312["a","b"]')]
    assert names == ["engine.io type", "socket.io type", "id", "payload", "argument 1", "argument 2"]


def test_the_handshake() -> None:
    frame = (
        '0{"sid":"x","upgrades":["websocket"],"pingInterval":25000,'
        '"pingTimeout":500,"maxPayload":1000000,"more":null}'
    )
    assert [(name, meaning) for _, _, name, meaning in fields(frame)] == [
        ("engine.io type", "open"),
        ("handshake", "what the server says of itself"),
        ("sid", "the id of this session"),
        ("upgrades", "can go on over websocket"),
        ("pingInterval", "a ping every 25 s"),
        ("pingTimeout", "0.5 s to answer a ping"),
        ("maxPayload", "at most 1000000 bytes in one polling body"),
        ("more", "null"),
    ]


@pytest.mark.parametrize(
    ("frame", "names", "reason", "offset"),
    [
        ("", [], "an empty frame", 0),
        ("x", [], "unknown Engine.IO packet type 'x'", 0),
        ("4", ["engine.io type"], "an empty Socket.IO packet", 1),
        ("4x", ["engine.io type"], "unknown Socket.IO packet type 'x'", 1),
        ("45", ["engine.io type", "socket.io type"], "a binary packet without its number of attachments", 2),
        ('42/a,1["a",]', ["engine.io type", "socket.io type", "namespace", "id"], "not JSON", 11),
        ("42/a,12345678901234567890[]", ["engine.io type", "socket.io type", "namespace"], "the id is", 5),
        ("0{}", ["engine.io type"], "the handshake's `sid` must be a non-empty string", 1),
        (
            '451-["b",{"_placeholder":true,"num":1}]',
            ["engine.io type", "socket.io type", "attachments"],
            "a placeholder for attachment 1, of 1",
            4,
        ),
    ],
)
def test_a_malformed_frame_is_explained_up_to_its_error(
    frame: str, names: list[str], reason: str, offset: int
) -> None:
    (explanation,) = explain(frame)
    assert [field["name"] for field in explanation.fields] == names
    assert explanation.error
    assert explanation.error.reason.startswith(reason)
    assert (explanation.error.frame, explanation.error.offset) == (frame, offset)


def test_attachments_belong_to_a_direction_of_a_connection() -> None:
    explainer = Explainer()
    event = '451-["b",{"_placeholder":true,"num":0}]'
    explainer.explain(Found(event, sid="one", direction=Direction.OUT))
    explainer.explain(Found(event.replace("51-", "61-3"), sid="one", direction=Direction.IN))
    names = [
        explainer.explain(Found(b"x", sid=sid, direction=direction)).fields[0]["name"]
        for sid, direction in (("two", Direction.OUT), ("one", Direction.IN), ("one", Direction.OUT))
    ]
    assert names == [
        "binary data that no packet announced",
        "attachment 0 of ack 3",
        "attachment 0 of event b",
    ]


def test_a_long_list_is_explained_up_to_a_limit() -> None:
    rest = fields('42["a"' + ",1" * 1002 + "]")[-1]
    assert rest == (6 + 2 * 999 + 1, "1,1,1]", "rest", "all after 1000 elements")


def test_a_member_may_have_an_empty_name() -> None:
    assert fields('40{"":1}')[-1] == (6, "1", "", "number")


def test_as_json() -> None:
    found = Found(b"\xff", 3, Direction.IN, "s", 1_000_000)
    assert Explainer().explain(found).to_json() == {
        "line": 3,
        "time": "1970-01-01T00:00:01.000000Z",
        "direction": "in",
        "sid": "s",
        "frame": b"\xff",
        "fields": [
            {"at": 0, "text": "ff", "name": "binary data that no packet announced", "meaning": "1 byte: ff"}
        ],
    }
    assert explain("")[0].to_json() == {
        "frame": "",
        "fields": [],
        "error": {"reason": "an empty frame", "offset": 0},
    }


def test_a_time_out_of_range_is_omitted() -> None:
    assert Found("2", time=10**30).where() == {}


FRAMES = st.binary() | st.builds(
    str.__add__,
    st.sampled_from(["", "4", "42", "451-", "40/a,", "0", "b", '451-["a",{"_placeholder":true,"num":']),
    st.text(st.characters(exclude_categories=[])),
)


@given(st.lists(FRAMES))
def test_any_frame_can_be_explained(frames: list[str | bytes]) -> None:
    for explanation in explain(*frames):
        assert explanation.fields or explanation.error
        assert encode_value(explanation.to_json()).isascii()
        frame = explanation.found.frame
        if isinstance(frame, str):
            assert all(frame.startswith(field["text"], field["at"]) for field in explanation.fields)


# Socket.IO 2, and packets in MessagePack

OPEN = '0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":5000}'
EVENT = msgpack_parser.encode(Packet(PacketType.EVENT, "/chat", 7, ["b", b"\1\2", {"a": 1}]))


def test_binary_data_of_engine_io_3_is_detected_by_its_form() -> None:
    event, attachment = explain('451-["b",{"_placeholder":true,"num":0}]', "b4AQID")
    assert event.error is None
    assert attachment.fields == [
        Field(at=0, text="b4", name="engine.io type", meaning="message, binary in base64"),
        Field(at=2, text="AQID", name="attachment 0 of event b", meaning="3 bytes: 01 02 03"),
    ]


def test_binary_frames_of_engine_io_3_are_detected_by_earlier_frames() -> None:
    explainer = Explainer()
    frames = [OPEN, "40", '451-["b",{"_placeholder":true,"num":0}]', b"\4\1"]
    *_, attachment = [explainer.explain(Found(frame, direction=Direction.IN)) for frame in frames]
    assert attachment.fields == [
        Field(at=0, text="04", name="engine.io type", meaning="message"),
        Field(at=1, text="01", name="attachment 0 of event b", meaning="1 byte: 01"),
    ]


def test_sessions_of_both_generations_side_by_side() -> None:
    explainer = Explainer()
    text = '451-["b",{"_placeholder":true,"num":0}]'
    frames = [("e1", OPEN), ("e2", OPEN.replace("e1", "e2")), ("e1", "40"), ("e2", '40{"sid":"x"}')]
    frames += [(sid, frame) for sid in ("e1", "e2") for frame in (text, b"\4\1")]
    explained = [explainer.explain(Found(frame, direction=Direction.IN, sid=sid)) for sid, frame in frames]
    assert [explained[n].fields[-1]["meaning"] for n in (5, 7)] == ["1 byte: 01", "2 bytes: 04 01"]


def test_a_packet_in_messagepack() -> None:
    assert [field[1:] for field in fields(EVENT)] == [
        (preview(EVENT), "packet", f"MessagePack: {len(EVENT)} bytes"),
        ("02", "socket.io type", "event"),
        ("93 a1 62 c4 02 01 02 81 a1 61 01", "payload", "list of 3 items"),
        ("a1 62", "event", "b"),
        ("c4 02 01 02", "argument 1", "2 bytes: 01 02"),
        ("81 a1 61 01", "argument 2", "object of 1 member"),
        ("a5 2f 63 68 61 74", "namespace", "/chat"),
        ("07", "id", "7, wants an acknowledgement"),
    ]
    ats = [field["at"] for field in explain(EVENT)[0].fields]
    assert ats[1:] == sorted(ats[1:])


def test_a_packet_in_messagepack_and_base64() -> None:
    first, second, kind, *_ = fields("b" + base64.b64encode(EVENT).decode())
    assert first == (0, "b", "engine.io type", "message, binary in base64")
    assert second[2] == "packet"
    assert kind == (1 + 6 * 4 // 3, "02", "socket.io type", "event")


def test_a_json_packet_with_messagepack() -> None:
    assert fields('4{"type":0,"nsp":"/chat","x":1}') == [
        (0, "4", "engine.io type", "message"),
        (1, '{"type":0,"nsp":"/chat","x":1}', "packet", "JSON with MessagePack: 3 members"),
        (9, "0", "socket.io type", "connect"),
        (17, '"/chat"', "namespace", "/chat"),
        (29, "1", "x", "number"),
    ]
    (broken,) = explain('4{"type":0,"nsp":1}')
    assert broken.error
    assert broken.error.reason.startswith("the namespace must be")


def test_redacted_frames() -> None:
    assert fields("{…}") == [(0, "{…}", "packet", "left out when this was recorded")]


@given(st.lists(st.binary() | st.text("b4{0:A=/")))
def test_any_frames_of_any_generation_are_explained(frames: list[str | bytes]) -> None:
    explainer = Explainer()
    for frame in [OPEN, "40", *frames]:
        explainer.explain(Found(frame, direction=Direction.IN))
