"""`nsroom doctor` against healthy and faulty servers and proxies."""

import asyncio
import contextlib
import json
import re
import shlex
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from nsroom.client.target import Parser, Target, Transport
from nsroom.doctor.checks import all_checks
from nsroom.doctor.examination import Examination, Extras
from nsroom.doctor.finding import Finding, State
from nsroom.doctor.probes.http import HttpClient
from nsroom.doctor.runner import BUDGET, examine
from nsroom.output.terminal import safe
from tests.conftest import StartServer
from tests.peers import bad, proxies
from tests.peers.program import Runner, Server, Spawner

CERTIFICATES = Path(__file__).parents[1] / "cli" / "tls"
ORIGIN = "https://app.example.org"
SHORT = 1.5
"""Seconds to wait for peers that do not answer."""


@pytest.fixture(autouse=True)
def _no_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def diagnose(
    url: str, namespace: str = "/", extras: Extras | None = None, **options: Any
) -> dict[str, Finding]:
    """Run all checks on a server; return the findings by check name."""
    extras = extras or Extras()
    target = Target(url=url, namespaces=(namespace,), **options)
    async with HttpClient(target) as http:
        examination = Examination(target, extras, http)
        reports = await examine(
            all_checks(extras.soak), examination, lambda _left: None, BUDGET + extras.soak
        )
    return {report.check: report.finding for report in reports}


def problems(found: dict[str, Finding]) -> dict[str, str]:
    """Return the failures and warnings by check name."""
    bad_states = (State.FAILED, State.WARNING)
    return {name: finding.found for name, finding in found.items() if finding.state in bad_states}


def fails(found: dict[str, Finding], check: str, cause: str, remedy: str) -> None:
    """Assert that a check failed for this cause and offers this remedy."""
    finding = found[check]
    assert finding.state is State.FAILED, problems(found)
    assert re.search(cause, finding.found), finding.found
    assert re.search(remedy, "\n".join(fix.text for fix in finding.fixes)), finding.fixes


@pytest.fixture
async def faulty(node_server: StartServer) -> Callable[..., Any]:
    """Start a Node server with faults: `await faulty("--forbid")`."""
    return lambda *args: node_server("faulty4.js", *args)


# Healthy servers ---------------------------------------------------------------------------------------


async def is_healthy(server: Server, event: str, except_polled: tuple[str, ...] = (), **options: Any) -> None:
    """Assert that all checks pass; over polling except those in `except_polled`."""
    for transport in Transport:
        found = await diagnose(server.url, extras=Extras(event=event), transport=transport, **options)
        assert problems(found).keys() == set(except_polled if transport is not Transport.WEBSOCKET else ())
        assert found["ack"].state is found["handlers"].state is State.OK


async def test_a_healthy_node_4(node_server: StartServer) -> None:
    server = await node_server("server4.js", "--recovery")
    await is_healthy(server, "anything")
    found = await diagnose(server.url)
    assert found["recovery"].found.startswith("on")
    assert re.search(r"client 4\.\d", found["version"].found)
    assert found["allow-eio3"].found.endswith("refused (`allowEIO3: true` accepts them)")


async def test_a_healthy_node_4_that_takes_older_clients(node_server: StartServer) -> None:
    found = await diagnose((await node_server("server4.js", "--eio3")).url)
    assert problems(found) == {}
    assert found["allow-eio3"].found.startswith("on")


async def test_a_healthy_node_2(node_server: StartServer) -> None:
    server = await node_server("server2.js")
    await is_healthy(server, "anything")
    assert re.search(r"Engine\.IO 3.*client 2\.\d", (await diagnose(server.url, "/chat"))["version"].found)


async def test_a_healthy_python_socketio(python_server: StartServer) -> None:
    # python-engineio on aiohttp reads only the first part of a large body.
    await is_healthy(await python_server(), "anything", ("payload",))


async def test_a_healthy_reference_server(server: Server) -> None:
    await is_healthy(server, "rooms")


async def test_frequent_heartbeats_are_waited_for(faulty: Callable[..., Any]) -> None:
    found = await diagnose((await faulty("--ping-interval", "300")).url, extras=Extras(soak=1.5))
    assert problems(found) == {}
    assert re.search(r"one arrived after \d{3} ms", found["heartbeat"].found)
    assert re.search(r"[1-5] heartbeats", found["soak"].found)


# Below HTTP -----------------------------------------------------------------------------------------


async def test_a_closed_port() -> None:
    async with bad.refuses_connections() as url:
        found = await diagnose(url)
    fails(found, "tcp", "refuses the connection", r"ss -ltnp")
    assert {finding.needs for name, finding in found.items() if name not in ("dns", "tcp")} == {"tcp"}


async def test_no_such_host() -> None:
    fails(await diagnose("http://no-such-host.invalid:80"), "dns", "no address", "no-such-host.invalid")


@contextlib.asynccontextmanager
async def tls_server(certificate: str) -> AsyncIterator[str]:
    """Serve TLS with this certificate; close after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("certificate", "authority", "cause", "remedy"),
    [
        ("expired.pem", "authority.pem", "has expired", "certbot renew"),
        ("elsewhere.pem", "authority.pem", "not for 127.0.0.1", "certbot certonly"),
        ("issued.pem", None, "unknown authority", "fullchain"),
    ],
)
async def test_an_untrusted_certificate(
    certificate: str, authority: str | None, cause: str, remedy: str
) -> None:
    cacert = str(CERTIFICATES / authority) if authority else None
    async with tls_server(certificate) as url:
        fails(await diagnose(url, cacert=cacert), "tls", cause, remedy)


async def test_a_server_with_tls(serve: StartServer) -> None:
    pair = ("--tls-cert", str(CERTIFICATES / "cert.pem"), "--tls-key", str(CERTIFICATES / "key.pem"))
    server = await serve(*pair)
    fails(await diagnose(server.url), "tls", "self-signed", "--cacert")
    assert problems(await diagnose(server.url, cacert=str(CERTIFICATES / "cert.pem"))) == {}
    assert problems(await diagnose(server.url, insecure=True)) == {}
    plain = server.url.replace("https", "http")
    fails(await diagnose(plain), "http", "speaks TLS", f'io\\("{server.url}"')


async def test_an_https_url_of_a_plain_server(server: Server) -> None:
    secure = server.url.replace("http", "https")
    fails(await diagnose(secure), "tls", "speaks plain HTTP", f'io\\("{server.url}"')


# HTTP -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "check", "cause", "remedy"),
    [
        (bad.silent, "http", "no answer within 1.5 s", "curl"),
        (bad.garbage, "http", "not HTTP", "ss -ltnp"),
        (bad.closes, "http", "without an answer|reset", "ss -ltnp"),
        (bad.html, "path", "a web page", "createServer"),
        (bad.empty, "path", "text/plain", "createServer"),
        (lambda: bad.answers(404), "path", "404", "io = new Server"),
        (lambda: bad.answers(502), "handshake", "502", "proxy_pass"),
        (lambda: bad.answers(429), "handshake", "429", "rate limiting"),
        (lambda: bad.answers(403), "handshake", "forbidden", "Authorization"),
        (bad.error_json, "path", "500", ""),
        (bad.garbage_open, "version", "handshake is malformed: not JSON", "createServer"),
        (lambda: bad.refuses(None), "parser", "answer to a CONNECT cannot be parsed", "parser"),
        (bad.open_then_close, "parser", "a CONNECT ends the session", "parser"),
        (bad.redirects, "redirect", "302 to /login", "--cookie"),
        (bad.plain_websocket, "path", "plain WebSocket server", "new WebSocket"),
        (lambda: bad.plain_websocket(echo=True), "path", "plain WebSocket server", "new WebSocket"),
    ],
)
async def test_servers_without_socketio(
    peer: Callable[[], bad.Peer], check: str, cause: str, remedy: str
) -> None:
    async with peer() as url:
        fails(await diagnose(url, connect_timeout=SHORT), check, cause, remedy)


async def test_a_serverless_platform() -> None:
    async with bad.answers(404, headers={"x-vercel-id": "fra1::abc"}) as url:
        found = await diagnose(url)
    assert found["platform"].state is State.WARNING
    assert "Vercel" in found["platform"].found


async def test_a_redirect_to_the_path_without_its_slash() -> None:
    async with bad.answers(301, headers={"Location": "/socket.io"}) as url:
        found = await diagnose(url)
    fails(found, "redirect", "HTTP 301 to /socket.io", 'path: "/socket.io", addTrailingSlash: false')
    assert '"/socket.io/"' not in str(found["redirect"].fixes)


async def test_a_wrong_path(faulty: Callable[..., Any], serve: StartServer) -> None:
    silent = await faulty("--path", "/api/socket.io/")
    found = await diagnose(silent.url, connect_timeout=SHORT)
    fails(found, "path", "no answer.*answers at /api/socket.io/", r'path: "/api/socket.io/"')
    answering = await serve("--path", "/ws/socket.io/")
    fails(
        await diagnose(answering.url),
        "path",
        "404.*at /ws/socket.io/",
        r"nsroom connect \S+ --path /ws/socket.io/",
    )


async def test_a_path_used_as_a_namespace(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    found = await diagnose(server.url, "/socket.io/")
    fails(found, "namespace", "an HTTP path, not a namespace", r'path: "/socket.io/"')


async def test_a_forbidden_handshake(faulty: Callable[..., Any]) -> None:
    server = await faulty("--forbid")
    fails(await diagnose(server.url), "handshake", "forbidden.*not from here", "allowRequest")


# Transports -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_one_transport_only(transport: str, faulty: Callable[..., Any]) -> None:
    server = await faulty("--transport", transport)
    found = await diagnose(server.url)
    assert problems(found).keys() == {"transports"}
    assert found["transports"].state is State.WARNING
    assert f"{transport} only" in found["transports"].found
    assert problems(await diagnose(server.url, transport=Transport(transport))) == {}


async def test_a_websocket_only_server_of_python(python_server: StartServer) -> None:
    found = await diagnose((await python_server("--transport", "websocket")).url)
    assert problems(found).keys() == {"transports"}


async def test_a_balancer_without_sticky_sessions(faulty: Callable[..., Any]) -> None:
    first, second = await faulty(), await faulty()
    async with proxies.balances(first.url, second.url) as url:
        found = await diagnose(url)
        fails(found, "sticky", "[1-8] of 8 .*Session ID unknown.*not sticky", "ip_hash")
        assert problems(found).keys() == {"sticky"}
        assert found["upgrade"].needs == "sticky"
        assert problems(await diagnose(url, transport=Transport.WEBSOCKET)) == {}


async def test_a_balancer_that_needs_its_cookie(faulty: Callable[..., Any]) -> None:
    first, second = await faulty(), await faulty()
    async with proxies.balances_by_cookie(first.url, second.url) as url:
        found = await diagnose(url)
    assert problems(found).keys() == {"sticky"}
    assert found["sticky"].state is State.WARNING
    assert "only for clients that send the cookie node back" in found["sticky"].found


async def test_a_server_that_offers_websocket_but_refuses_it(serve: StartServer) -> None:
    found = await diagnose((await serve("--fault", "no-upgrade")).url)
    fails(found, "upgrade", "instead of 101", "proxy_http_version 1.1")


async def test_delayed_polls(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    async with proxies.holds_polls(server.url, 60) as url:
        found = await diagnose(url, connect_timeout=SHORT)
    fails(
        found,
        "polling",
        "delayed by more than 1.5 s: a proxy buffers it, or loses POST",
        "proxy_buffering off",
    )


async def test_one_request_at_a_time(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    async with proxies.one_at_a_time(server.url) as url:
        # A WebSocket would occupy the only slot.
        found = await diagnose(url, connect_timeout=SHORT, transport=Transport.POLLING)
    fails(found, "polling", "one request at a time", "uvicorn")


async def test_a_cache() -> None:
    async with bad.conversation(bad.ignore, polled="0" + json.dumps(bad.OPEN)) as url:
        found = await diagnose(url, connect_timeout=0.5, transport=Transport.POLLING)
    fails(found, "polling", "the same session: a cache", "proxy_cache off")


# Origins --------------------------------------------------------------------------------------------


async def test_cors(faulty: Callable[..., Any]) -> None:
    server = await faulty("--origin", ORIGIN)
    page = Extras(origin=ORIGIN)
    for options in ({}, {"cookies": {"a": "b"}}, {"headers": {"X-Known": "1"}}):
        assert problems(await diagnose(server.url, extras=page, **options)) == {}
    found = await diagnose(server.url, extras=page, headers={"X-Other": "1"})
    fails(found, "cors", "preflight does not allow the header X-Other", "allowedHeaders")
    found = await diagnose(server.url, extras=Extras(origin="https://evil.example.org"))
    fails(found, "cors", f"is {ORIGIN}, not https://evil", r'origin: "https://evil.example.org"')


@pytest.mark.parametrize("other", [ORIGIN, "*", "https://other.example.org"])
async def test_cors_headers_of_server_and_proxy(other: str, faulty: Callable[..., Any]) -> None:
    server = await faulty("--origin", ORIGIN)
    async with proxies.adds_header(server.url, f"Access-Control-Allow-Origin: {other}".encode()) as url:
        found = await diagnose(url, extras=Extras(origin=ORIGIN), transport=Transport.POLLING)
    fails(found, "cors", "is sent twice", "proxy_hide_header Access-Control-Allow-Origin")


async def test_no_cors(faulty: Callable[..., Any], python_server: StartServer, server: Server) -> None:
    page = Extras(origin=ORIGIN)
    fails(await diagnose((await faulty()).url, extras=page), "cors", "no Access-Control-Allow-Origin", ORIGIN)
    refused = f"400.*{ORIGIN} is not an accepted origin"
    fails(await diagnose((await python_server()).url, extras=page), "cors", refused, "cors_allowed_origins")
    fails(await diagnose(server.url, extras=page), "cors", "HTTP 4", ORIGIN)
    own = await diagnose(server.url, extras=Extras(origin=server.url))
    assert "same origin" in own["cors"].found


# The application ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["node", "node 2", "python", "reference"])
async def test_a_proxy_that_drops_upgrade_and_an_unknown_namespace(
    kind: str, node_server: StartServer, python_server: StartServer, serve: StartServer
) -> None:
    start = {
        "node": lambda: node_server("server4.js"),
        "node 2": lambda: node_server("server2.js"),
        "python": python_server,
        "reference": serve,
    }[kind]
    server = await start()
    async with proxies.drops_upgrade(server.url) as url:
        found = await diagnose(url)
    for check in ("websocket", "upgrade"):
        fails(found, check, "HTTP 400 instead of 101: does a proxy drop", r"Upgrade \$http_upgrade")
    polled = {"payload"} if kind == "python" else set()
    assert problems(found).keys() == {"websocket", "upgrade"} | polled
    found = await diagnose(server.url, "/nope", connect_timeout=SHORT)
    said = "Unable to connect" if kind == "python" else "Invalid namespace"
    fails(found, "namespace", f'/nope is refused: "{said}"; / exists', r'io.of\("/nope"\)')
    assert problems(found).keys() == {"namespace"} | polled


@pytest.mark.parametrize(
    ("script", "said"),
    [("server4.js", '"no", data {"code": 1}'), ("server2.js", '"no"')],
)
async def test_a_refusing_middleware(script: str, said: str, node_server: StartServer) -> None:
    found = await diagnose((await node_server(script)).url, "/secret")
    fails(found, "auth", re.escape(said), "TOKEN")
    assert problems(found).keys() == {"auth"}


async def test_a_refusing_python_handler(python_server: StartServer) -> None:
    found = await diagnose((await python_server()).url, "/secret")
    fails(found, "auth", 'without credentials: "no"', 'auth={"token"')


async def test_credentials(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    fails(await diagnose(server.url, "/token", auth={"token": "wrong"}), "auth", "with --auth: .who", "token")
    found = await diagnose(server.url, "/token", auth={"token": "right"})
    assert "accepted with --auth" in found["auth"].found


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("namespace", ["/kicked", "/removed", "/closed", "/kicked-late"])
async def test_a_server_that_disconnects_everyone(
    namespace: str, transport: str, faulty: Callable[..., Any]
) -> None:
    found = await diagnose((await faulty()).url, namespace, transport=Transport(transport))
    fails(found, "disconnect", r"accepted, and [\d.]+ ms later: ", r"next\(new Error")
    assert problems(found).keys() == {"disconnect"}
    assert found["ack"].needs == "disconnect"


async def test_a_python_server_that_connects_and_then_refuses(python_server: StartServer) -> None:
    found = await diagnose((await python_server("--always-connect")).url, "/secret")
    fails(found, "disconnect", "the server disconnected /secret: no", "logger=True")


async def test_a_python_connect_handler_that_raises(python_server: StartServer) -> None:
    server = await python_server()
    found = await diagnose(server.url, "/raising", connect_timeout=SHORT)
    fails(found, "middleware", r"or raised \(does it expect --auth\?\)", "auth: { token")
    found = await diagnose(server.url, "/raising", auth={"token": "x"}, transport=Transport.WEBSOCKET)
    assert problems(found) == {}


async def test_a_hanging_middleware(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    found = await diagnose(server.url, "/hanging", connect_timeout=SHORT)
    fails(found, "middleware", r"/hanging: no answer to CONNECT.*next\(\)", r"next\(error\)")
    assert problems(found).keys() == {"middleware"}


async def test_a_hanging_middleware_affects_no_other_check(faulty: Callable[..., Any]) -> None:
    server = await faulty("--hang")
    assert problems(await diagnose(server.url, connect_timeout=SHORT)).keys() == {"middleware"}


async def test_msgpack(node_server: StartServer) -> None:
    server = await node_server("server4.js", "--msgpack")
    found = await diagnose(server.url)
    fails(found, "parser", "msgpack", "socket.io-msgpack-parser")
    assert problems(found).keys() == {"parser"}
    await is_healthy(server, "anything", parser=Parser.MSGPACK)
    found = await diagnose(server.url, "/nope", parser=Parser.MSGPACK)
    assert problems(found).keys() == {"namespace"}


async def test_acknowledgements(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    found = await diagnose(server.url, extras=Extras(event="unknown"), connect_timeout=SHORT)
    fails(found, "ack", '"unknown" is not acknowledged', r'socket.on\("unknown"')
    found = await diagnose(server.url, extras=Extras(event="fail"))
    assert found["ack"].state is State.WARNING
    assert '{"error": "no"}' in found["ack"].found
    slow = await diagnose(server.url, extras=Extras(event="slow"))
    assert problems(slow) == {}
    assert re.search("acknowledged after (1\\.[89]|2)", slow["ack"].found)


async def test_an_event_after_which_the_server_disconnects(faulty: Callable[..., Any]) -> None:
    found = await diagnose((await faulty()).url, extras=Extras(event="guarded"))
    fails(found, "ack", '"guarded" ends the session: the server disconnected /', r"next\(new Error")
    assert problems(found).keys() == {"ack"}


async def test_an_event_that_ends_the_server(faulty: Callable[..., Any]) -> None:
    found = await diagnose((await faulty()).url, extras=Extras(event="crash"))
    fails(found, "ack", '"crash" ends the session .* the server no longer answers', "uncaughtException")
    assert problems(found).keys() == {"ack"}


async def test_late_handlers(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    found = await diagnose(server.url, "/late", extras=Extras(event="hello"))
    fails(found, "handlers", "lost when sent right after connecting", "first every handler")
    assert found["ack"].state is State.OK


async def test_an_event_that_is_too_large(node_server: StartServer) -> None:
    server = await node_server("server4.js", "--max-payload", "1000")
    found = await diagnose(server.url, extras=Extras(event="big", args=("x" * 2000,)))
    fails(found, "ack", "2013 bytes.*accepts 1000", "maxHttpBufferSize: 4026")
    assert problems(found).keys() == {"ack"}


async def test_a_proxy_that_refuses_large_bodies(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    async with proxies.limits_bodies(server.url, 100_000) as url:
        found = await diagnose(url)
    fails(found, "payload", "1000000 bytes is refused .*413", "client_max_body_size 2m")
    assert problems(found).keys() == {"payload"}
    async with proxies.limits_bodies(server.url, 0) as url:
        found = await diagnose(url)
    fails(found, "sticky", "8 of 8 .*413.*block POST", "location /socket.io/")
    assert problems(found).keys() == {"sticky"}


async def test_a_proxy_that_loses_large_bodies(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    async with proxies.loses_bodies(server.url, 100_000) as url:
        found = await diagnose(url)
    assert problems(found).keys() == {"payload"}
    assert found["payload"].state is State.WARNING
    assert "1000000 bytes is accepted and then lost" in found["payload"].found


@pytest.mark.parametrize(
    ("answer", "check", "cause"),
    [
        (b"403 Forbidden", "parser", r"a CONNECT in a POST is refused \(HTTP 403.*block POST"),
        (b"405 Method Not Allowed", "parser", r"a CONNECT in a POST is refused \(HTTP 405.*block POST"),
        (b"", "parser", r"a CONNECT in a POST is refused \(no answer within 1.5 s.*block POST"),
        (b"200 OK", "middleware", "no CONNECT in a POST is answered, to any namespace: .*block POST"),
    ],
)
async def test_a_proxy_that_blocks_posts(
    answer: bytes, check: str, cause: str, faulty: Callable[..., Any]
) -> None:
    server = await faulty("--transport", "polling")
    async with proxies.blocks_posts(server.url, answer) as url:
        found = await diagnose(url, connect_timeout=SHORT)
    fails(found, check, cause, "location /socket.io/")
    assert "next()" not in str(problems(found))


async def test_a_missing_heartbeat() -> None:
    async with bad.sends(handshake={"pingInterval": 200}) as url:
        found = await diagnose(url, transport=Transport.WEBSOCKET, connect_timeout=SHORT)
    fails(found, "heartbeat", "none arrived within 2.2 s", "proxy_buffering off")


async def test_idle_connections_that_are_closed(faulty: Callable[..., Any]) -> None:
    server = await faulty()
    async with proxies.cuts(server.url, 1.5) as url:
        found = await diagnose(url, extras=Extras(soak=10))
    fails(found, "soak", r"closed after [12]\.\d s, 0 heartbeats", "proxy_read_timeout")


async def test_an_admin_namespace(python_script: StartServer, node_server: StartServer) -> None:
    closed = await diagnose((await python_script("instrumented.py", "--auth")).url)
    assert problems(closed).keys() == {"payload"}
    assert "/admin exists, with a password" in closed["admin"].found
    # Not a warning: only this machine can reach it.
    found = await diagnose((await node_server("admin4.js")).url)
    assert problems(found) == {}
    assert "/admin exists, without a password" in found["admin"].found


# The command ----------------------------------------------------------------------------------------


async def test_the_command(nsroom: Runner, server: Server) -> None:
    result = await nsroom("doctor", server.url, "--json")
    assert (result.code, result.stderr) == (0, "")
    reports = result.records()
    assert [report["check"] for report in reports] == [check.name for check in all_checks()]
    assert {report["state"] for report in reports} == {"ok", "skipped"}
    result = await nsroom("doctor", f"{server.url}/nope")
    assert result.code == 1
    assert result.stderr.startswith(
        'nsroom: 1 check failed: namespace: /nope is refused: "Invalid namespace"'
    )
    assert re.search(
        r'✘ namespace +[\d.]+ m?s  /nope is refused: "Invalid namespace"; / exists\n', result.stdout
    )
    assert '        io.of("/nope").on("connection"' in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--origin", "example.org"), "--origin 'example.org': write it as https://example.org"),
        (("--event-args", "1"), "--event-args needs --event"),
        (("--event", "x", "--event-args", "{"), "--event-args: not JSON"),
        (("--event", "disconnect"), "--event 'disconnect' is a reserved name"),
        (("/a,b",), "'/a,b' cannot be a namespace"),
    ],
)
async def test_usage(options: tuple[str, ...], said: str, nsroom: Runner) -> None:
    result = await nsroom("doctor", *options)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: {said}")


async def test_strict(nsroom: Runner, faulty: Callable[..., Any]) -> None:
    server = await faulty("--transport", "polling")
    assert (await nsroom("doctor", server.url)).code == 0
    result = await nsroom("doctor", server.url, "--strict")
    assert result.code == 1
    assert result.stderr.startswith("nsroom: 1 check failed: transports: polling only")


async def test_text_from_a_hostile_server_is_escaped(nsroom: Runner) -> None:
    async with bad.refuses({"message": "\x1b]52;c;AAAA\x07", "data": "\u202e"}) as url:
        result = await nsroom("doctor", url, "--transport", "websocket")
    assert result.code == 1
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "auth" in result.stderr


async def test_a_hostile_redirect_makes_no_command(nsroom: Runner) -> None:
    location = "http://x/socket.io/%0atouch%20PWNED;$(touch PWNED)`id`'/socket.io/"
    async with bad.answers(302, headers={"Location": location}) as url:
        result = await nsroom("doctor", url)
    assert result.code == 1
    commands = [line.strip() for line in result.lines if line.startswith("        nsroom doctor")]
    assert [len(shlex.split(command)) for command in commands] == [5] * len(commands)
    assert all(line == safe(line) for line in result.lines)


async def test_progress_on_a_terminal(spawn: Spawner, server: Server) -> None:
    terminal = await spawn("doctor", server.url, tty=True)
    text = (await terminal.result(20)).stdout
    assert "checks to go" in text
    assert "\x1b[32m✔\x1b[0m dns" in text


async def test_the_page_shows_what_is_printed(nsroom: Runner, server: Server) -> None:
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text("utf-8")
    sample = page.partition("<!-- doctor /nope -->\n```text\n")[2].partition("```")[0]
    printed = (await nsroom("doctor", "/nope", "-u", server.url)).stdout
    assert without_numbers(sample) == without_numbers(printed)


def without_numbers(text: str) -> list[str]:
    """Replace the numbers, which differ between runs."""
    return re.sub(r" +[\d.]+ m?s|[\d.]+ ms|\d+", " …", text).splitlines()


async def test_the_http_path_in_the_url_is_named(nsroom: Runner, server: Server) -> None:
    result = await nsroom("doctor", f"{server.url}/socket.io/", "--json")
    found = {row["check"]: row["found"] for row in result.records()}
    assert found["namespace"].startswith("/ exists; /socket.io/ in the URL is the HTTP path")
