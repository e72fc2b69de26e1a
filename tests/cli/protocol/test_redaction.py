"""Credentials in a CONNECT are hidden in every encoding."""

import base64

import pytest

from nsroom.protocol import msgpack_parser
from nsroom.protocol.redaction import REDACTED, is_connect, redacted
from nsroom.protocol.socketio import Packet, PacketType

PACKED = msgpack_parser.encode(Packet(PacketType.CONNECT, "/chat", data={"token": "s3cret"}))
BASE64 = base64.b64encode(PACKED).decode()


@pytest.mark.parametrize(
    ("frame", "shown"),
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
def test_redacted_connects(frame: str | bytes, shown: str) -> None:
    assert redacted(frame) == shown


@pytest.mark.parametrize(
    ("frame", "is_old", "looks_like_connect"),
    [
        ('40{"token"', False, True),
        ('4{"type":0', True, True),
        (PACKED[:-1], False, True),
        (b"\x04" + PACKED[:-1], True, True),
        (f"b{BASE64[:-1]}", False, True),
        (f"b4{BASE64[:-1]}", True, True),
        ('42["e"', False, False),
        ("b*", False, False),
        (b"\0", False, False),
        ("", False, False),
    ],
)
def test_malformed_connects_are_recognised(
    frame: str | bytes, is_old: bool, looks_like_connect: bool
) -> None:
    assert is_connect(frame, is_old) is looks_like_connect
