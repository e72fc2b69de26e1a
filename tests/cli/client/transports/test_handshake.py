"""The requests that open a connection: path, query and headers."""

from typing import Any

import pytest

from nsroom.client.target import Target
from nsroom.client.transports.handshake import AGENT, request, resource, with_own


@pytest.mark.parametrize(
    ("options", "transport", "engine", "expected"),
    [
        ({}, "websocket", 4, "/socket.io/?EIO=4&transport=websocket"),
        ({}, "polling", 4, "/socket.io/?EIO=4&transport=polling"),
        ({}, "websocket", 3, "/socket.io/?EIO=3&transport=websocket"),
        ({}, "polling", 3, "/socket.io/?EIO=3&transport=polling"),
        ({"path": "/a b/ü"}, "polling", 4, "/a%20b/%C3%BC/?EIO=4&transport=polling"),
        ({"path": "/a%20b/"}, "polling", 4, "/a%20b/?EIO=4&transport=polling"),
        (
            {"query": (("k", "a b&c"), ("k", "ü"))},
            "polling",
            4,
            "/socket.io/?k=a+b%26c&k=%C3%BC&EIO=4&transport=polling",
        ),
    ],
)
def test_the_resource_of_a_handshake(
    options: dict[str, Any], transport: str, engine: int, expected: str
) -> None:
    assert resource(Target(**options), transport, engine) == expected


def test_the_request_for_a_websocket() -> None:
    target = Target(url="http://ann:s%40cret@h:81", headers={"X-Trace": "7"}, cookies={"a": "b", "c": "d"})
    first, *lines, empty, end = request(target, "key").split("\r\n")
    assert first == "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"
    assert (empty, end) == ("", "")
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": "h:81",
        "User-Agent": AGENT,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "key",
        "Authorization": "Basic YW5uOnNAY3JldA==",
        "Cookie": "a=b; c=d",
        "X-Trace": "7",
    }


def test_the_users_headers_replace_ours_in_any_case() -> None:
    assert with_own({"host": "a", "X": "1"}, {"Host": "b", "Y": "2"}) == {"Y": "2", "host": "a", "X": "1"}
