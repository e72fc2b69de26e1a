"""The proxy of the environment: which one, for which URLs, and every way through it."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from nsroom.client.transports.http_proxy import HttpProxy, ProxyError, bypasses, create_connection, proxy_for
from nsroom.errors import UsageError
from tests.conftest import StartServer
from tests.peers import bad, proxies
from tests.peers.certificate import certificate
from tests.peers.program import Runner, Server

NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
OTHERS = ("no_proxy", "NO_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *OTHERS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "url", "used"),
    [
        ({}, "http://a", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://a", ("http://p:1", "HTTP_PROXY")),
        ({"HTTP_PROXY": "http://p:1"}, "https://a", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a", ("http://p:1", "HTTPS_PROXY")),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:2"}, "http://a", ("http://q:2", "http_proxy")),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": ""}, "http://a", ("http://p:1", "HTTP_PROXY")),
        ({"ALL_PROXY": "http://p:1"}, "https://a", ("http://p:1", "ALL_PROXY")),
        ({"ALL_PROXY": "http://p:1", "https_proxy": "q"}, "https://a", ("http://q", "https_proxy")),
        ({"HTTP_PROXY": "p:8080"}, "http://localhost:3000", ("http://p:8080", "HTTP_PROXY")),
        ({"HTTP_PROXY": "https://p"}, "http://a", ("https://p", "HTTP_PROXY")),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a", None),
        ({"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://a", ("http://p:1", "http_proxy")),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "a"}, "http://a:3000", None),
        ({"HTTP_PROXY": "socks5://p:1", "NO_PROXY": "a"}, "http://a:3000", None),
        ({"HTTP_PROXY": "p", "NO_PROXY": "a", "no_proxy": "b"}, "http://a", ("http://p", "HTTP_PROXY")),
    ],
)
def test_the_proxy_of_a_url(
    variables: dict[str, str], url: str, used: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == (HttpProxy(*used) if used else None)


@pytest.mark.parametrize(
    "value", ["http://", "http://:80", "http://p:99999", "http://ann:s3cret@ho st", "socks5://u:s3cret@p:1"]
)
def test_a_value_that_cannot_be_used(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UsageError, match=r"\$HTTPS_PROXY") as raised:
        proxy_for("https://a")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("*", "a.example", 80, True),
        ("", "a.example", 80, False),
        ("example", "a.example", 80, True),
        ("example", "example", 80, True),
        ("example", "badexample", 80, False),
        (".example", "a.example", 80, True),
        ("*.example", "a.example", 80, True),
        (".example", "example", 80, True),
        ("a.example", "example", 80, False),
        ("x, A.Example.", "a.example", 80, True),
        ("x y", "y", 80, True),
        ("a.example:8080", "a.example", 8080, True),
        ("a.example:8080", "a.example", 80, False),
        ("127.0.0.1", "127.0.0.1", 3000, True),
        ("127.0.0.1:3000", "127.0.0.1", 3000, True),
        ("127.0.0.1:3000", "127.0.0.1", 3001, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.1.2.3/8", "10.9.9.9", 80, True),
        ("10.0.0.0/8", "10.example", 80, False),
        ("0.0.1", "127.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:80", "::1", 81, False),
        ("fe80::/10", "fe80::1%lo", 80, True),
        ("localhost", "127.0.0.1", 80, False),
        ("]:x/", "127.0.0.1", 80, False),
        (".", "a", 80, False),
    ],
)
def test_the_hosts_without_a_proxy(no_proxy: str, host: str, port: int, direct: bool) -> None:
    assert bypasses(no_proxy, host, port) is direct


def test_the_password_is_never_shown() -> None:
    proxy = HttpProxy("http://ann:s3%40cret@p:1", "HTTP_PROXY")
    assert str(proxy) == "the proxy http://p:1 (HTTP_PROXY)"
    assert proxy.authorization == "Basic YW5uOnMzQGNyZXQ="
    assert "s3" not in str(ProxyError(proxy))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_server_through_a_proxy(
    transport: str, server: Server, nsroom: Runner, stack: AsyncExitStack
) -> None:
    seen: list[str] = []
    url = await stack.enter_async_context(proxies.forwards(seen, "ann:s3cret"))
    env = {"HTTP_PROXY": url.replace("//", "//ann:s3cret@")}
    result = await nsroom("call", "nick", "ann", "-u", server.url, "--transport", transport, env=env)
    assert result.code == 0, result.stderr
    place = server.url.removeprefix("http://")
    plain = {f"GET {server.url}/socket.io/", f"POST {server.url}/socket.io/"}
    assert set(seen) == ({f"CONNECT {place}"} if transport == "websocket" else plain)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_tls_through_a_proxy(
    transport: str, serve: StartServer, nsroom: Runner, tmp_path: Path, stack: AsyncExitStack
) -> None:
    cert, key = await certificate(tmp_path)
    server = await serve("--tls-cert", str(cert), "--tls-key", str(key))
    seen: list[str] = []
    url = await stack.enter_async_context(proxies.forwards(seen))
    options = ("-u", server.url, "--transport", transport, "--cacert", str(cert))
    result = await nsroom("call", "nick", "ann", *options, env={"HTTPS_PROXY": url})
    assert result.code == 0, result.stderr
    assert set(seen) == {f"CONNECT {server.url.removeprefix('https://')}"}


async def test_a_proxy_without_tunnels_leaves_polling(
    server: Server, nsroom: Runner, stack: AsyncExitStack
) -> None:
    seen: list[str] = []
    url = await stack.enter_async_context(proxies.forwards(seen, allows_tunnels=False))
    result = await nsroom("call", "nick", "ann", "-u", server.url, env={"HTTP_PROXY": url})
    assert result.code == 0, result.stderr
    result = await nsroom("call", "x", "-u", server.url, "--transport", "websocket", env={"HTTP_PROXY": url})
    assert (result.code, "(HTTP_PROXY) refuses to connect to 127.0.0.1:" in result.stderr) == (3, True)


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (lambda: proxies.forwards([], "ann:s3cret"), "wants a password (HTTP 407)"),
        (bad.refuses_connections, "cannot be reached: nothing listens on 127.0.0.1 port"),
    ],
)
async def test_a_fault_of_the_proxy_is_not_blamed_on_the_server(
    transport: str, peer: type[bad.Peer], text: str, server: Server, nsroom: Runner, stack: AsyncExitStack
) -> None:
    url = await stack.enter_async_context(peer())
    result = await nsroom("call", "x", "-u", server.url, "--transport", transport, env={"http_proxy": url})
    assert result.code == 3
    assert result.stderr.startswith(
        f"nsroom: cannot connect to {server.url}: the proxy {url} (http_proxy) {text}"
    )
    assert len(result.stderr.splitlines()) == 1


async def test_a_wrong_password_is_not_shown(server: Server, nsroom: Runner, stack: AsyncExitStack) -> None:
    url = await stack.enter_async_context(proxies.forwards([], "ann:s3cret"))
    env = {"ALL_PROXY": url.replace("//", "//ann:other@")}
    result = await nsroom("call", "x", "-u", server.url, env=env)
    assert (result.code, "does not accept the user and password" in result.stderr) == (3, True)
    assert "other" not in result.stderr


@pytest.mark.parametrize("peer", [bad.garbage, bad.closes, bad.resets, bad.speaks_first])
async def test_something_else_than_a_proxy(peer: type[bad.Peer], stack: AsyncExitStack) -> None:
    proxy = HttpProxy(await stack.enter_async_context(peer()), "HTTP_PROXY")
    with pytest.raises(ProxyError):
        await create_connection(asyncio.Protocol, "127.0.0.1", 1, None, proxy)


async def test_doctor_finds_nothing_wrong_with_a_server_behind_a_proxy(
    server: Server, nsroom: Runner, stack: AsyncExitStack
) -> None:
    url = await stack.enter_async_context(proxies.forwards([]))
    result = await nsroom("doctor", server.url, "--json", env={"HTTP_PROXY": url})
    assert result.code == 0, result.stdout
    found = {(check := json.loads(line))["check"]: check for line in result.lines}
    assert found["tcp"]["found"] == f"the proxy {url} (HTTP_PROXY) accepts connections"
    assert found["websocket"]["state"] == "ok"


@pytest.mark.parametrize(
    ("peer", "check"),
    [(lambda: proxies.forwards([], "ann:s3cret"), "http"), (bad.refuses_connections, "tcp")],
)
async def test_doctor_names_the_proxy_that_fails(
    peer: type[bad.Peer], check: str, server: Server, nsroom: Runner, stack: AsyncExitStack
) -> None:
    url = await stack.enter_async_context(peer())
    result = await nsroom("doctor", server.url, "--json", env={"HTTP_PROXY": url})
    failed = [each for each in map(json.loads, result.lines) if each["state"] == "failed"]
    assert [each["check"] for each in failed] == [check]
    assert failed[0]["found"].startswith(f"the proxy {url} (HTTP_PROXY)")
    assert "export HTTP_PROXY=" in failed[0]["fixes"][0]["text"]
