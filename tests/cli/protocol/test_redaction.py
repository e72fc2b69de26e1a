"""Credentials in a CONNECT are hidden in every encoding."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nsroom.protocol import msgpack_parser
from nsroom.protocol.redaction import REDACTED, redacted, redacted_malformed, redacted_payload
from nsroom.protocol.session import Observer
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, to_json

PACKED = msgpack_parser.encode(Packet(PacketType.CONNECT, "/chat", data={"token": "s3cret"}))
BASE64 = base64.b64encode(PACKED).decode()


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("40", "40"),
        ("40/chat,", "40/chat,"),
        ('40{"token":"s3cret"}', f"40{REDACTED}"),
        ('40/chat,{"token":"s3cret?,"}', f"40/chat,{REDACTED}"),
        ("40/chat?token=s3cret,", "40/chat?…,"),
        ("40/chat?token=s3cret", "40/chat?…"),
        ('40/chat{"token":"s3cret"', f"40/chat{REDACTED}"),
        ('40"s3cret', f"40{REDACTED}"),
        ('4{"type":0,"nsp":"/chat?token=s3cret"}', REDACTED),
        (PACKED, REDACTED),
        (f"b4{BASE64}", REDACTED),
    ],
)
def test_redacted_connects(frame: str | bytes, expected: str) -> None:
    assert redacted(frame) == expected


SECRET = "s3cret"
CONNECTS = [
    '40{"token":"s3cret"}',
    '40/chat,{"token":"s3cret"}',
    '40/chat,{"user":{"name":"ann","keys":["a","s3cret"]}}',
    "40/chat?token=s3cret&x=1,",
    '40/chat?token=s3cret,{"token":"s3cret"}',
    '4{"type":0,"nsp":"/chat?token=s3cret","data":{"token":"s3cret"}}',
    PACKED,
    b"\x04" + PACKED,
    f"b{BASE64}",
    f"b4{BASE64}",
]
ANSWERS = [
    '40/chat?token=s3cret,{"sid":"x"}',
    "40/chat?token=s3cret",
    '44/chat?token=s3cret,{"message":"no"}',
    '44/chat{"token":"s3cret"},{"message":"Invalid namespace"}',
    '44/chat{"user":"ann","token":"s3cret"},{"message":"Invalid namespace"}',
    "41/chat?token=s3cret,",
]


def shown(direction: Direction, frame: str | bytes, is_old: bool) -> str:
    """Return what the records of a frame contain, of a frame that waits for attachments too."""
    observer = Observer(raw=True, is_old=is_old)
    records = [observer.feed(direction, each, 1) for each in (frame, "40", "2")]
    return json.dumps([to_json(record) for record in records if record])


def hidden(text: str) -> bool:
    return SECRET not in text and base64.b64encode(SECRET.encode())[:6].decode() not in text


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        *CONNECTS,
        ' 40{"token":"s3cret"}',
        '4 0{"token":"s3cret"}',
        '040{"token":"s3cret"}',
        'd=40{"token":"s3cret"}',
        '40/chat{"token":"s3cret"}',
        '40/chat {"user":"ann","token":"s3cret"}',
        '\ufeff40{"token":"s3cret"}',
        '0{"token":"s3cret"}',
        '{"token":"s3cret"}',
        '"40{\\"token\\":\\"s3cret\\"}"',
        '240{"token":"s3cret"}',
        '2{"token":"s3cret"}',
        '44{"token":"s3cret"}',
        '42{"token":"s3cret"}',
        '41{"token":"s3cret"}',
        '19:40{"token":"s3cret"}',
        "40?token=s3cret",
        PACKED[1:],
        PACKED[:-1],
        b"\0" + PACKED,
        f"b{BASE64[1:]}",
        f"bb{BASE64}",
    ],
)
def test_nothing_that_may_be_a_connect_shows_credentials(frame: str | bytes, is_old: bool) -> None:
    assert hidden(shown(Direction.OUT, frame, is_old))


@given(
    st.sampled_from(CONNECTS),
    st.integers(0, 60),
    st.one_of(st.just(""), st.characters(codec="latin-1")),
    st.booleans(),
    st.booleans(),
)
@example('40/chat,{"token":"s3cret"}', 7, "", False, False)
def test_no_changed_character_of_a_connect_shows_credentials(
    frame: str | bytes, at: int, character: str, replaces: bool, is_old: bool
) -> None:
    """One character of what comes before the credentials is inserted, replaced or left out."""
    data = frame.encode() if isinstance(frame, str) else frame
    end = data.find(b"=s3cret") if b"=s3cret" in data else data.find(SECRET.encode())
    at = at % (end if end > 0 else 4)
    changed = data[:at] + character.encode("latin-1") + data[at + (replaces or not character) :]
    if b"?" in data and b"?" not in changed:
        return  # then the query is a part of the name
    given = changed.decode("latin-1") if isinstance(frame, str) else changed
    assert hidden(shown(Direction.OUT, given, is_old))


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("frame", ANSWERS)
def test_answers_do_not_repeat_credentials(frame: str, is_old: bool) -> None:
    assert hidden(shown(Direction.IN, frame, is_old))
    assert hidden(shown(Direction.IN, f"{frame}{{", is_old))


@pytest.mark.parametrize(
    "frame",
    [
        '42["x"',
        '42/chat,["x",{"a":1}',
        '42/chat["x"]',
        '421["x"]]',
        '43["x"]',
        '451-["x",',
        b"\x01\x02",
        "bAQI=",
    ],
)
def test_malformed_events_are_shown(frame: str | bytes) -> None:
    assert redacted_malformed(frame, is_old=False) == frame


def test_the_keys_of_a_payload() -> None:
    assert redacted_payload({"token": "s3cret", "user": {"name": "ann"}}) == {"token": "•••", "user": "•••"}
    assert redacted_payload({}) is redacted_payload(None) is None
    many = redacted_payload({f"{number}{'x' * 100}": number for number in range(100)})
    assert many is not None
    assert (len(many), max(map(len, many))) == (32, 64)
