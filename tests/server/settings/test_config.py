"""The configuration: wrong values, defaults that depend on others, and secrets."""

from pathlib import Path
from typing import Any

import pytest

from nsroom_server.errors import ConfigError
from nsroom_server.settings.config import Administrator, Config
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"port": 65536}, "port 65536"),
        ({"path": "/a{b}"}, "path '/a{b}'"),
        ({"namespaces": ()}, "no namespace"),
        ({"namespaces": ("chat",)}, "namespace 'chat': write /name"),
        ({"ping_interval": 0}, "ping-interval 0"),
        ({"ping_timeout": float("nan")}, "ping-timeout nan"),
        ({"max_payload": -1}, "max-payload -1"),
        ({"drain": -1}, "drain -1"),
        ({"recovery": -1}, "recovery -1"),
        ({"recovery": 3601}, "recovery 3601: must be 0 to 3600"),
        ({"recovery": float("nan")}, "recovery nan"),
        ({"faults": Faults(forget=True)}, "--recovery"),
        ({"transports": ("carrier-pigeon",)}, "transports 'carrier-pigeon'"),
        ({"transports": ()}, "transports"),
        ({"token": ""}, "token is empty"),
        (
            {"cors_origins": ("https://a.example/",)},
            "cors-origin https://a.example/: browsers send https://a.example,",
        ),
        ({"cors_origins": ("a.example",)}, "send https://a.example, so write that"),
        ({"cors_origins": ("*", "HTTP://A.example:80/x?y#z")}, "send http://a.example, "),
        ({"cors_origins": ("http://localhost:5173/",)}, "send http://localhost:5173, "),
        ({"cors_origins": ("",)}, "an origin such as https://app.example.org"),
        ({"cors_origins": ("https://*.example",)}, "an origin such as"),
        ({"tls_key": Path("key.pem")}, "--tls-cert"),
        ({"host": "0.0.0.0"}, "--token.*--insecure"),
        ({"host": "example.org"}, "--token.*--insecure"),
    ],
)
def test_errors_name_the_wrong_value(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Config(**options)


@pytest.mark.parametrize("options", [{"token": "x"}, {"insecure": True}])
def test_addresses_of_other_machines_need_a_token_or_insecure(options: dict[str, Any]) -> None:
    assert Config(host="0.0.0.0", **options)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/socket.io/", "/socket.io/"), ("socket.io", "/socket.io/"), ("/a/b", "/a/b/"), ("/", "/"), ("", "/")],
)
def test_endpoint(path: str, endpoint: str) -> None:
    assert Config(path=path).endpoint == endpoint


def test_all_limits_contain_the_configured_ones() -> None:
    limits = Config(max_payload=5).all_limits
    assert limits["max_payload"] == 5
    assert limits["room_name"] == 128


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({}, ()),
        ({"host": "0.0.0.0", "insecure": True}, ("*",)),
        ({"host": "192.0.2.7", "token": "x"}, ("*",)),
        ({"host": "0.0.0.0", "token": "x", "allowed_hosts": ("A.example",)}, ("a.example",)),
    ],
)
def test_accepted_hosts(options: dict[str, Any], accepted: tuple[str, ...]) -> None:
    assert Config(**options).accepted_hosts == accepted


def test_secrets_are_not_printed() -> None:
    config = Config(
        token="s3cret", redis="redis://:s3cret@localhost", admin=Administrator(user="ann", password="s3cret")
    )
    assert "s3cret" not in f"{config!r} {config.all_limits}"


def test_conformance_shortens_the_timeout_of_a_connect() -> None:
    limits = Limits(connect_timeout=7, nick=5)
    assert Config(limits=limits).effective_limits == limits
    assert Config(limits=limits, conformance=True).effective_limits == Limits(connect_timeout=1, nick=5)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://a.example",
        "http://localhost:5173",
        "http://[::1]:1",
        "capacitor://localhost",
        "http://a:443",
    ],
)
def test_origins(origin: str) -> None:
    assert Config(cors_origins=(origin,)).cors_origins == (origin,)
