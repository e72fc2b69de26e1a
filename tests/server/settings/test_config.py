from pathlib import Path
from typing import Any

import pytest

from nsroom_server.errors import ConfigError
from nsroom_server.settings.config import Config


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"port": 65536}, "port 65536"),
        ({"path": "/a{b}"}, "path '/a{b}'"),
        ({"namespaces": ()}, "no namespace"),
        ({"namespaces": ("chat",)}, "namespace 'chat': write /name"),
        ({"ping_interval": 0}, "ping-interval 0"),
        ({"ping_timeout": float("nan")}, "ping-timeout nan"),
        ({"max_payload": -1}, "max-payload -1"),
        ({"drain": -1}, "drain -1"),
        ({"transports": ("carrier-pigeon",)}, "transports 'carrier-pigeon'"),
        ({"transports": ()}, "transports"),
        ({"token": ""}, "token is empty"),
        ({"tls_key": Path("key.pem")}, "--tls-cert"),
        ({"host": "0.0.0.0"}, "--token.*--insecure"),
        ({"host": "example.org"}, "--token.*--insecure"),
    ],
)
def test_wrong_values_are_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Config(**options)


@pytest.mark.parametrize("options", [{"token": "x"}, {"insecure": True}])
def test_other_addresses_need_a_decision(options: dict[str, Any]) -> None:
    assert Config(host="0.0.0.0", **options)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/socket.io/", "/socket.io/"), ("socket.io", "/socket.io/"), ("/a/b", "/a/b/"), ("/", "/"), ("", "/")],
)
def test_endpoint(path: str, endpoint: str) -> None:
    assert Config(path=path).endpoint == endpoint


def test_limits_are_the_configured_ones() -> None:
    limits = Config(max_payload=5).all_limits
    assert limits["max_payload"] == 5
    assert limits["room_name"] == 128
