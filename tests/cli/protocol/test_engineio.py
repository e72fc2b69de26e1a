"""Engine.IO 4: the specification's own examples, and any other input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import engineio
from nsroom.protocol.engineio import Handshake, Packet, PacketType
from nsroom.protocol.limits import Limits

MESSAGE = PacketType.MESSAGE
TEXT = st.text(st.characters(exclude_categories=[]))
PACKETS = st.builds(Packet, st.sampled_from(PacketType), TEXT) | st.builds(
    Packet, st.just(MESSAGE), st.binary()
)


@pytest.mark.parametrize(
    ("frame", "packet"),
    [
        ("4hello", Packet(MESSAGE, "hello")),
        (b"\x01\x02\x03\x04", Packet(MESSAGE, b"\x01\x02\x03\x04")),
        (b"", Packet(MESSAGE, b"")),
        ("2", Packet(PacketType.PING)),
        ("3", Packet(PacketType.PONG)),
        ("2probe", Packet(PacketType.PING, "probe")),
        ("3probe", Packet(PacketType.PONG, "probe")),
        ("5", Packet(PacketType.UPGRADE)),
        ("6", Packet(PacketType.NOOP)),
        ("1", Packet(PacketType.CLOSE)),
        ('0{"sid":"lv_VI97HAXpY6yYWAAAC"}', Packet(PacketType.OPEN, '{"sid":"lv_VI97HAXpY6yYWAAAC"}')),
        ("4€", Packet(MESSAGE, "€")),
    ],
)
def test_frames_of_the_specification(frame: str | bytes, packet: Packet) -> None:
    assert engineio.decode(frame) == packet
    assert engineio.encode(packet) == frame


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (
            "4hello\x1e2\x1e4world",
            [Packet(MESSAGE, "hello"), Packet(PacketType.PING), Packet(MESSAGE, "world")],
        ),
        ("4hello\x1ebAQIDBA==", [Packet(MESSAGE, "hello"), Packet(MESSAGE, b"\x01\x02\x03\x04")]),
        ("4hello\x1e4€€€", [Packet(MESSAGE, "hello"), Packet(MESSAGE, "€€€")]),
        ("6", [Packet(PacketType.NOOP)]),
        ("b", [Packet(MESSAGE, b"")]),
    ],
)
def test_payloads_of_the_specification(body: str, packets: list[Packet]) -> None:
    assert engineio.decode_payload(body) == packets
    assert engineio.encode_payload(packets) == body
    assert len(engineio.split_payload(body)) == len(packets)


@pytest.mark.parametrize(
    ("frame", "reason", "offset"),
    [
        ("", "an empty frame", 0),
        ("7", "unknown Engine.IO packet type '7'", 0),
        ("٣", "unknown Engine.IO packet type '٣'", 0),
        ("\x1b]", "unknown Engine.IO packet type '\\x1b'", 0),
        ("bAQ*D", "not base64", 3),
        ("bAQI", "not base64", 4),
        ("bAQ==ID", "not base64", 3),
        ("bé", "not base64", 1),
        ("b=", "not base64", 2),
    ],
)
def test_malformed_frames(frame: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        engineio.decode(frame)
    assert (caught.value.reason, caught.value.frame, caught.value.offset) == (reason, frame, offset)


@pytest.mark.parametrize("frame", ["4abcde", b"abcdef"])
def test_the_size_of_a_frame_is_limited(frame: str | bytes) -> None:
    assert engineio.decode(frame, Limits(frame=6)).data
    with pytest.raises(DecodeError, match="larger than 5"):
        engineio.decode(frame, Limits(frame=5))


def test_an_error_in_a_payload_names_the_malformed_frame() -> None:
    with pytest.raises(DecodeError) as caught:
        engineio.decode_payload("4a\x1e\x1e4b")
    assert caught.value.frame == ""


def test_only_a_message_is_binary() -> None:
    with pytest.raises(ValueError, match="only a message"):
        engineio.encode(Packet(PacketType.PING, b"x"))


def test_polling_cannot_carry_its_separator() -> None:
    with pytest.raises(ValueError, match="record separator"):
        engineio.encode_payload([Packet(MESSAGE, "a\x1eb")])


@given(PACKETS)
def test_a_packet_survives_a_websocket(packet: Packet) -> None:
    assert engineio.decode(engineio.encode(packet)) == packet


@given(st.lists(PACKETS.filter(lambda packet: "\x1e" not in str(packet.data)), min_size=1))
def test_packets_survive_polling(packets: list[Packet]) -> None:
    assert engineio.decode_payload(engineio.encode_payload(packets)) == packets


@given(TEXT | st.binary() | TEXT.map(lambda text: "b" + text))
def test_any_frame_is_a_packet_or_an_error_in_it(frame: str | bytes) -> None:
    offset = 0
    try:
        assert engineio.decode(frame).type in PacketType
    except DecodeError as error:
        offset = error.offset
    assert 0 <= offset <= len(frame)


def test_the_handshake_of_the_specification() -> None:
    data = (
        '{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],'
        '"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
    )
    assert engineio.parse_handshake(data) == Handshake(
        "lv_VI97HAXpY6yYWAAAC", ("websocket",), 25000, 20000, 1000000
    )


def test_an_older_server_sends_no_max_payload() -> None:
    data = '{"sid":"x","upgrades":[],"pingInterval":25000.0,"pingTimeout":5000}'
    assert engineio.parse_handshake(data) == Handshake("x", (), 25000, 5000, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "not JSON"),
        ("[]", "the handshake is not a JSON object"),
        ("{}", "the handshake's `sid` must be a non-empty string"),
        ('{"sid":1}', "the handshake's `sid` must be a non-empty string"),
        ('{"sid":""}', "the handshake's `sid` must be a non-empty string"),
        ('{"sid":"x","upgrades":"websocket"}', "the handshake's `upgrades` must be a list of strings"),
        ('{"sid":"x","upgrades":[1]}', "the handshake's `upgrades` must be a list of strings"),
        (
            '{"sid":"x","upgrades":[],"pingInterval":true}',
            "the handshake's `pingInterval` must be a number from 0 to 9007199254740991",
        ),
        (
            '{"sid":"x","upgrades":[],"pingInterval":1,"pingTimeout":-1}',
            "the handshake's `pingTimeout` must be a number from 0 to 9007199254740991",
        ),
        ('{"sid":"x","upgrades":[],"pingInterval":1e999}', "number out of range"),
        pytest.param(
            f'{{"sid":"x","upgrades":[],"pingInterval":1{"0" * 400}}}',
            "the handshake's `pingInterval` must be a number from 0 to 9007199254740991",
            id="400 digits",
        ),
        (
            '{"sid":"x","upgrades":[],"pingInterval":1,"pingTimeout":1,"maxPayload":9007199254740992}',
            "the handshake's `maxPayload` must be a number from 0 to 9007199254740991",
        ),
        (
            '{"sid":"x","upgrades":[],"pingInterval":1,"pingTimeout":1,"maxPayload":null}',
            "the handshake's `maxPayload` must be a number from 0 to 9007199254740991",
        ),
    ],
)
def test_malformed_handshakes(data: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        engineio.parse_handshake(data)
    assert caught.value.reason.startswith(reason)


@given(TEXT)
def test_any_text_is_a_handshake_or_an_error(data: str) -> None:
    with pytest.raises(DecodeError):
        engineio.parse_handshake(data)
