"""Engine.IO packets as text, as bytes, in payloads and in WebSocket frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import (
    Incoming,
    Outgoing,
    PacketType,
    decode,
    decode_payload,
    encode_payload,
    messages,
    size_of,
)
from nsroom_server.errors import Malformed

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)))
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x1e"))


@pytest.mark.parametrize(
    ("packet", "decoded"),
    [
        ('0{"sid":"x"}', Incoming(PacketType.OPEN, '{"sid":"x"}')),
        ("1", Incoming(PacketType.CLOSE, "")),
        ("2probe", Incoming(PacketType.PING, "probe")),
        ("3", Incoming(PacketType.PONG, "")),
        ("4b€", Incoming(PacketType.MESSAGE, "b€")),
        ("5", Incoming(PacketType.UPGRADE, "")),
        ("6", Incoming(PacketType.NOOP, "")),
        ("bAAEC", Incoming(PacketType.MESSAGE, b"\x00\x01\x02")),
        (b"\x04\x00", Incoming(PacketType.MESSAGE, b"\x04\x00")),
        (b"", Incoming(PacketType.MESSAGE, b"")),
    ],
)
def test_packets(packet: str | bytes, decoded: Incoming) -> None:
    assert decode(packet) == decoded


@pytest.mark.parametrize(
    ("packet", "problem"),
    [
        ("", "not an Engine.IO packet"),
        ("7", "not an Engine.IO packet"),
        ("x4", "not an Engine.IO packet"),
        ("²", "not an Engine.IO packet"),
        ("b!", "invalid base64"),
        ("bAAE", "invalid base64"),
        ("bé===", "invalid base64"),
    ],
)
def test_malformed_packets(packet: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        decode(packet)


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"", "not an Engine.IO packet"), (b"4a\x1e", "not an Engine.IO packet"), (b"4\xff", "invalid UTF-8")],
)
def test_malformed_payloads(body: bytes, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        decode_payload(body)


@given(st.lists(TEXT | st.binary(), min_size=1))
def test_a_payload_carries_texts_and_bytes_unchanged(parts: list[str | bytes]) -> None:
    payload = encode_payload(messages(parts)).encode()
    assert decode_payload(payload) == [Incoming(PacketType.MESSAGE, part) for part in parts]


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65_535, b"\x82\x7e\xff\xff"),
        (65_536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frames_of_every_length(size: int, head: bytes) -> None:
    packet = Outgoing(PacketType.MESSAGE, bytes(size))
    assert (packet.frame, packet.size) == (head + bytes(size), size)


def test_a_text_frame_counts_bytes_not_characters() -> None:
    packet = Outgoing(PacketType.MESSAGE, "é")
    assert (packet.frame, packet.size, packet.text) == (b"\x81\x034\xc3\xa9", 3, "4é")


@given(ANY_TEXT)
def test_the_size_of_a_text_is_that_of_its_utf8(text: str) -> None:
    assert size_of(text) == len(text.encode()) == size_of(text.encode())
