"""Socket.IO packets: what Node's parser takes is taken, and nothing that would cost too much."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.errors import Malformed
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.packet import Packet, PacketType

LIMITS = Limits()
PLACE = '{"_placeholder":true,"num":0}'
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def parse(text: str, *attachments: bytes) -> Packet:
    packet = Packet.parse(text, LIMITS)
    for attachment in attachments:
        packet.attach(attachment)
    return packet


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "number", "data"),
    [
        ("0", 0, "/", None, None),
        ('0/chat,{"token":"x"}', 0, "/chat", None, {"token": "x"}),
        ("0/chat", 0, "/chat", None, None),
        ("1/chat,", 1, "/chat", None, None),
        ('2["a"]', 2, "/", None, ["a"]),
        ("2[7]", 2, "/", None, [7]),
        ('2/chat,12["a",1.5e3]', 2, "/chat", 12, ["a", 1500.0]),
        ("312[]", 3, "/", 12, []),
        ('4{"message":"no"}', 4, "/", None, {"message": "no"}),
        ('4"no"', 4, "/", None, "no"),
    ],
)
def test_packets(text: str, kind: int, namespace: str, number: int | None, data: Any) -> None:
    packet = parse(text)
    assert (packet.packet_type, packet.namespace, packet.id, packet.data) == (kind, namespace, number, data)
    assert packet.attachment_count == 0


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "9",
            "x",
            "/",
            "-1",
            "2",
            "2[",
            "2{}",
            "2[]",
            "2[null]",
            "2[[1]]",
            "2[true]",
            "2[NaN]",
            "2[1e999]",
        ),
        *('2["x",Infinity]', '2["x",-Infinity]', '2["x",1e999]', '2["x",' + "9" * 400 + ".5]", '2["x"]]'),
        *(
            '0["x"]',
            "0null",
            "1{}",
            '21-["x"]',
            "3[]",
            "312{}",
            "312",
            '5["x"]',
            '5-["x"]',
            '50-["x"]',
            '4["x"]',
            "4null",
            "4[7]",
            "6[1]",
            "611-[1]",
        ),
        *(
            '511-["x"]',
            '51000000-["x"]',
            "5" + "1" * 50 + '-["x"]',
            "2" + "9" * 50 + '["x"]',
            '51-{"a":1}',
            "61-[]",
        ),
        '2["x",' + "9" * 5000 + "]",
        '2["x",' + "[" * 64 + "]" * 64 + "]",
        "2" + "[" * 500_000,
        "2[" + '{"a":' * 200_000,
    ],
)
def test_malformed_packets(text: str) -> None:
    with pytest.raises(Malformed) as error:
        parse(text)
    assert len(str(error.value)) < 60


@pytest.mark.parametrize("num", ["1", "-1", "0.5", '"0"', "null", "true", "1e3"])
def test_a_placeholder_without_an_attachment(num: str) -> None:
    with pytest.raises(Malformed, match="placeholder without an attachment"):
        parse(f'51-["x",{{"_placeholder":true,"num":{num}}}]')


def test_attachments_up_to_the_limit() -> None:
    assert parse(f'510-["x",{PLACE}]').attachment_count == 10
    with pytest.raises(Malformed, match="too many attachments"):
        parse(f'511-["x",{PLACE}]')


def test_attachments_find_their_places() -> None:
    packet = parse(f'52-["x",{{"a":[{PLACE}]}},{{"_placeholder":true,"num":1}},{PLACE}]', b"1", b"2")
    assert packet.arguments == ["x", {"a": [b"1"]}, b"2", b"1"]


def test_what_looks_like_a_place_is_none_without_attachments() -> None:
    assert parse(f'2["x",{PLACE}]').arguments == ["x", {"_placeholder": True, "num": 0}]


def test_binary_is_sent_as_attachments() -> None:
    packet = Packet(PacketType.EVENT, ["x", {"a": b"1"}, bytearray(b"2")], "/chat", 3)
    text = '52-/chat,3["x",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]'
    assert packet.encode() == [text, b"1", b"2"]
    assert Packet(PacketType.ACK, [b"1"], "/", 3).encode()[0] == f"61-3[{PLACE}]"
    assert Packet(PacketType.CONNECT, {"sid": "s"}, "/").encode() == ['0{"sid":"s"}']


@given(args=st.lists(JSON, max_size=3), number=st.none() | st.integers(0, 2**53))
def test_what_is_written_is_read(args: list[Any], number: int | None) -> None:
    (text,) = Packet(PacketType.EVENT, ["x", *args], "/chat", number).encode()
    packet = parse(str(text))
    assert (packet.namespace, packet.id, packet.arguments) == ("/chat", number, ["x", *args])


@given(st.text())
def test_any_text_is_a_packet_or_malformed(text: str) -> None:
    try:
        assert parse(text)
    except Malformed:
        return
