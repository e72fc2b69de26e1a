"""The lines that say what to do next."""

from pathlib import Path
from typing import Any

import pytest

from nsroom_server.operations import banner
from nsroom_server.settings.config import Config


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({}, "nsroom join lobby"),
        ({"port": 3001}, "nsroom join :3001 lobby"),
        ({"port": 3001, "host": "0.0.0.0", "insecure": True}, "nsroom join :3001 lobby"),
        ({"host": "192.0.2.1", "insecure": True}, "nsroom join http://192.0.2.1:3000 lobby"),
        ({"namespaces": ("/game",)}, "nsroom join /game lobby"),
        ({"namespaces": ("/a b",), "port": 80}, "nsroom join ':80/a b' lobby"),
        ({"namespaces": (), "any_namespace": True}, "nsroom join lobby"),
        ({"tls_cert": Path("cert.pem")}, "nsroom join https://127.0.0.1:3000 lobby"),
        ({"path": "/io", "token": "secret"}, "nsroom join lobby --path /io/ -a token=TOKEN"),
    ],
)
def test_the_command_reaches_the_server(options: dict[str, Any], command: str) -> None:
    config = Config(**options)
    url = f"{config.scheme}://{config.host}:{config.port}"
    assert list(banner.lines(config, url, config.port))[-1] == f"try: {command}, or open {url} in a browser"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "namespaces: /, /my-namespace, /chat, /lab; history: none"),
        (
            {"history": Path("/x/history.db")},
            "namespaces: /, /my-namespace, /chat, /lab; history: /x/history.db",
        ),
        ({"redis": "redis://:secret@x", "namespaces": ("/",)}, "namespaces: /; history: in Redis"),
        ({"namespaces": ("/",), "any_namespace": True}, "namespaces: /, any other; history: none"),
    ],
)
def test_what_there_is(options: dict[str, Any], line: str) -> None:
    assert next(banner.lines(Config(**options), "http://x", 3000)) == line


def test_without_a_page_or_a_chat() -> None:
    assert list(banner.lines(Config(page=False), "http://x", 3000))[-1] == "try: nsroom join lobby"
    assert list(banner.lines(Config(conformance=True), "http://x", 3000)) == []
