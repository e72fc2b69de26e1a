"""Engine.IO packets and polling payloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import (
    Incoming,
    Kind,
    Outgoing,
    decode,
    decode_payload,
    encode_payload,
    size_of,
)
from nsroom_server.errors import Malformed

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x1e"))


@given(st.lists(TEXTS | st.binary(), min_size=1, max_size=5))
def test_payloads_come_back_as_they_went_out(messages: list[str | bytes]) -> None:
    body = encode_payload([Outgoing(Kind.MESSAGE, message) for message in messages])
    assert decode_payload(body.encode()) == [Incoming(Kind.MESSAGE, message) for message in messages]


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65_535, b"\x82\x7e\xff\xff"),
        (65_536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frames_have_the_shortest_length(size: int, head: bytes) -> None:
    packet = Outgoing(Kind.MESSAGE, bytes(size))
    assert (packet.size, packet.frame) == (size, head + bytes(size))


def test_text_frames_contain_the_packet() -> None:
    packet = Outgoing(Kind.MESSAGE, "2é")
    assert (packet.frame, packet.text, packet.size) == (b"\x81\x04" + "42é".encode(), "42é", 4)
    assert size_of("42é") == 4


@pytest.mark.parametrize("text", ["", "9", "x", "b!", "bAA"])
def test_malformed_packets(text: str) -> None:
    with pytest.raises(Malformed):
        decode(text)


def test_a_payload_that_is_not_utf_8() -> None:
    with pytest.raises(Malformed, match="invalid UTF-8"):
        decode_payload(b"4\xff")
