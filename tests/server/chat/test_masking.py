"""Secrets do not come back from /lab."""

from typing import Any

import pytest

from nsroom_server.chat.masking import mask, mask_header


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Host", "localhost", "localhost"),
        ("Authorization", "Bearer abc.def", "Bearer ***"),
        ("authorization", "abc", "***"),
        ("Proxy-Authorization", "Basic YTpi", "Basic ***"),
        ("X-Api-Key", "a b", "***"),
        ("X-Auth-Token", "abc", "***"),
        ("Cookie", "a=1; sid=abc=d; flag", "a=***; sid=***; flag"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_headers(name: str, value: str, shown: str) -> None:
    assert mask_header(name, value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ({"pid": "x", "offset": "y"}, {"pid": "***", "offset": "y"}),
        ({"user": "ann", "PASSWORD": "x", "age": 7}, {"user": "ann", "PASSWORD": "***", "age": 7}),
        ({"token": {"a": ["x", 1]}}, {"token": {"a": ["***", "***"]}}),
        ([{"sessionId": "x"}], [{"sessionId": "***"}]),
    ],
)
def test_payloads(value: Any, shown: Any) -> None:
    assert mask(value) == shown
