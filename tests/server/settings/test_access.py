"""Accepted hosts, origins, namespaces and tokens."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nsroom_server.settings import access
from nsroom_server.settings.access import is_allowed_host
from tests.peers.program import Runner, Spawner
from tests.server.member import Member, Serve
from tests.server.wire import endpoint


@pytest.mark.parametrize(
    ("host", "bound", "allowed", "verdict"),
    [
        ("localhost:3000", "127.0.0.1", (), True),
        ("LOCALHOST", "127.0.0.1", (), True),
        ("127.0.0.1:3000", "127.0.0.1", (), True),
        ("[::1]:3000", "127.0.0.1", (), True),
        ("192.0.2.7", "192.0.2.7", (), True),
        ("evil.example", "127.0.0.1", (), False),
        ("evil.example:3000", "127.0.0.1", (), False),
        ("localhost.evil.example", "127.0.0.1", (), False),
        ("localhost@evil.example", "127.0.0.1", (), False),
        ("192.0.2.7", "127.0.0.1", (), False),
        ("chat.example:443", "127.0.0.1", ("chat.example",), True),
        ("chat.example.", "127.0.0.1", ("chat.example",), True),
        ("any.example", "127.0.0.1", ("*",), True),
        ("", "127.0.0.1", ("*",), False),
        ("[", "127.0.0.1", (), False),
        (None, "127.0.0.1", (), False),
    ],
)
def test_hosts(host: str | None, bound: str, allowed: tuple[str, ...], verdict: bool) -> None:
    assert is_allowed_host(host, bound, allowed) == verdict


async def test_a_page_cannot_resolve_its_name_to_the_server(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(allowed_hosts=("Chat.example",))
    for host, status in (("chat.example", 200), ("evil.example", 403)):
        async with http.get(endpoint(running, "polling"), headers={"Host": host}) as response:
            assert response.status == status
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await http.ws_connect(endpoint(running, "websocket"), headers={"Host": "evil.example"})
    assert refusal.value.status == 403


async def test_a_token_in_a_file(spawn: Spawner, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    server = await spawn("serve", "--port", "0", "--history", "none", "--token", f"@{tmp_path / 'token'}")
    listening = re.search(r"listening on (\S+)\n", await server.err("try: nsroom", timeout=20))
    assert listening
    url = listening[1]
    for token, expected in (("wrong", {"message": "unauthorized"}), ("s3cret", None)):
        ann = Member(["/"])
        await ann.client.connect(url, auth={"token": token}, transports=["websocket"], wait=False)
        if expected:
            assert await ann.refused() == expected
        else:
            assert await ann.next("hi") == "everyone!"
        await ann.client.disconnect()
    assert "s3cret" not in server.stderr.text
    assert "wrong" not in server.stderr.text


async def test_a_missing_token_file(nsroom: Runner) -> None:
    result = await nsroom("serve", "--port", "0", "--token", "@/no/such/file")
    assert result.code == 2
    assert result.stderr == (
        "nsroom: token file /no/such/file: no such file or directory; name a file that holds the token\n"
    )


async def test_limits_are_options(nsroom: Runner) -> None:
    result = await nsroom("serve", "--print-limits", "--limit", "room_name=7")
    assert "room_name: 7" in result.lines
    result = await nsroom("serve", "--limit", "rooms=7")
    assert (result.code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("/", True),
        ("/chat", True),
        ("chat", False),
        ("", False),
        ("/a,b", False),
        ("/a\n", False),
        ("/?", False),
        ("/❤️", True),
        ("/chat ", False),
        ("/n\u0303", False),
        ("/chat\ufe0f", False),
    ],
)
def test_namespaces(name: str, valid: bool) -> None:
    assert access.is_namespace(name) == valid


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert access.is_loopback(host) == loopback


@pytest.mark.parametrize(
    ("origin", "allowed", "verdict"),
    [
        ("http://localhost:3000", (), True),
        ("http://LOCALHOST:3000", (), True),
        ("https://localhost:3000", (), False),
        ("http://localhost", (), False),
        ("http://evil.example", (), False),
        ("null", (), False),
        ("http://[", (), False),
        ("http://ok.example", ("http://ok.example",), True),
        ("http://evil.example", ("*",), True),
    ],
)
def test_origins(origin: str, allowed: tuple[str, ...], verdict: bool) -> None:
    assert access.is_allowed_origin(origin, "http", "localhost:3000", allowed) == verdict


@pytest.mark.parametrize(
    ("auth", "knows"),
    [
        ({"token": "s€cret"}, True),
        ({"token": "s€cret", "more": 1}, True),
        ({"token": "s€cre"}, False),
        ({"token": "\ud800"}, False),
        ({"token": 1}, False),
        ({}, False),
        (None, False),
        (["token"], False),
    ],
)
def test_token(auth: Any, knows: bool) -> None:
    assert access.has_token(auth, "s€cret") == knows
