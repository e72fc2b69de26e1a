"""For every fault of a peer, one line names the root cause and what to do."""

import asyncio
import errno
import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.errors import ConnectError
from nsroom.protocol.websocket import accept
from tests.cli.clients import WAIT, Connect, Reference
from tests.cli.scripted import Polling
from tests.conftest import StartServer
from tests.frames import frame
from tests.peers import bad, proxies

Peers = dict[str, tuple[Callable[[], bad.Peer], str]]
TIMEOUT = 0.6

# What was unread when it closed decides which of the two it is.
GONE = "it (reset the connection|closed the connection without an answer): no HTTP server"
SAME: Peers = {
    "nothing listens": (
        bad.refuses_connections,
        r"nothing listens on 127\.0\.0\.1 port \d+: start the server",
    ),
    "silent": (bad.silent, r"it accepts connections, but does not answer within 0\.6 s"),
    "closes": (bad.closes, GONE),
    "resets": (bad.resets, GONE),
    "speaks first": (bad.speaks_first, "its answer is not HTTP"),
    "html": (
        bad.html,
        r"HTTP 200 \(text/html.*\): not Socket\.IO|it answers with a web page, not Socket\.IO",
    ),
    "401": (lambda: bad.answers(401), "HTTP 401: authentication required"),
    "403": (lambda: bad.answers(403), "HTTP 403: forbidden by the server or a proxy"),
    "404": (lambda: bad.answers(404), r"HTTP 404: no Socket\.IO at this path: set --path"),
    "418": (lambda: bad.answers(418), r"HTTP 418: not a Socket\.IO server"),
    "429": (lambda: bad.answers(429), "HTTP 429: too many connections"),
    "500 with json": (bad.error_json, "HTTP 500: the server failed"),
    "502": (lambda: bad.answers(502, "<h1>Bad Gateway</h1>"), "HTTP 502: the proxy gets no answer"),
    "503": (lambda: bad.answers(503), "HTTP 503: the proxy has no application to forward to"),
    "504": (lambda: bad.answers(504), "HTTP 504: the proxy gets no answer from the application in time"),
    "redirect elsewhere": (
        lambda: bad.redirects("http://127.0.0.1:1/socket.io/?token=s3cret"),
        r"it redirects to http://127\.0\.0\.1:1/socket\.io/, but there: nothing listens on .* port 1:",
    ),
    "redirect": (bad.redirects, r"it redirects to http://127\.0\.0\.1:\d+/login"),
    "garbage open": (bad.garbage_open, "its handshake is malformed: not JSON: .* at offset"),
    "open then silence": (bad.open_then_silence, r"it did not answer for the namespace within 0\.6 s"),
    "open then close": (bad.open_then_close, "closed the connection before it answered for the namespace"),
}
ENGINE: Peers = {
    f"code {code}": (
        lambda code=code: bad.answers(400, f'{{"code":{code},"message":"m"}}', "application/json"),  # type: ignore[misc]
        text,
    )
    for code, text in {
        0: "does not offer this transport",
        1: "the server does not know the session",
        3: r"HTTP 400: the application or a proxy refuses the request",
        4: "forbidden by the server's allowRequest",
        5: "speaks another version",
    }.items()
}


async def cause(peer: bad.Peer, transport: str, stack: AsyncExitStack, connect: Connect) -> str:
    """Return the error of a connection attempt, which must end in time."""
    url = await stack.enter_async_context(peer)
    began = time.monotonic()
    with pytest.raises(ConnectError) as caught:
        await connect(url, transport=transport, connect_timeout=TIMEOUT)
    assert time.monotonic() - began < TIMEOUT + WAIT
    line = str(caught.value)
    assert url in line
    assert line.isprintable()
    return line


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
@pytest.mark.parametrize("name", SAME)
async def test_the_cause_is_named_over_every_transport(
    name: str, transport: str, stack: AsyncExitStack, connect: Connect
) -> None:
    peer, text = SAME[name]
    assert re.search(text, await cause(peer(), transport, stack, connect))


@pytest.mark.parametrize("name", ENGINE)
async def test_a_refusal_of_engine_io_is_explained(
    name: str, stack: AsyncExitStack, connect: Connect
) -> None:
    peer, text = ENGINE[name]
    assert re.search(text, await cause(peer(), "polling", stack, connect))


@pytest.mark.parametrize(
    ("echo", "transport", "text"),
    [
        (
            False,
            "auto",
            r"it accepts WebSocket, but sends no handshake within 0\.6 s: a plain WebSocket server",
        ),
        (False, "websocket", "it accepts WebSocket, but sends no handshake"),
        (True, "websocket", "it accepts WebSocket, but sends no handshake"),
        (False, "polling", "HTTP 426: a plain WebSocket server"),
    ],
)
async def test_a_plain_websocket_server(
    echo: bool, transport: str, text: str, stack: AsyncExitStack, connect: Connect
) -> None:
    assert re.search(text, await cause(bad.plain_websocket(echo=echo), transport, stack, connect))


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        (["hello"], r"its messages are not Socket\.IO: a plain WebSocket server"),
        ([b"\0\1"], r"its messages are not Socket\.IO"),
        (["4hello"], r"its messages are not Socket\.IO"),
        ([""], r"its messages are not Socket\.IO"),
        (["0[]"], "its handshake is malformed: the handshake is not a JSON object"),
        (['0{"sid":7}'], "its handshake is malformed: the handshake's `sid` must be a non-empty string"),
        (["0" + "[" * 5000], "its handshake is malformed: nested"),
        ([], r"it closed the WebSocket before the handshake \(code 1000\)"),
    ],
)
async def test_something_else_instead_of_the_handshake(
    frames: list[str | bytes], text: str, stack: AsyncExitStack, connect: Connect
) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send(*frames)
        if frames:
            await talk.receive()

    assert re.search(text, await cause(bad.conversation(script), "websocket", stack, connect))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", r"it answers with an empty body, not Socket\.IO"),
        ('96:0{"sid":"x"}', r"speaks Socket\.IO 2"),
        ("hello", r"it answers with something else, not Socket\.IO"),
        ("0{", "its handshake is malformed"),
        ("\x1e", "it answers with an empty body"),
    ],
)
async def test_a_polled_body_instead_of_the_handshake(
    body: str, text: str, stack: AsyncExitStack, connect: Connect
) -> None:
    line = await cause(bad.answers(200, body, "text/plain"), "polling", stack, connect)
    assert re.search(text, line)


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
async def test_a_server_of_version_2(transport: str, node_server: StartServer, connect: Connect) -> None:
    server = await node_server("server2.js")
    with pytest.raises(
        ConnectError, match=r"the server speaks Socket\.IO 2 \(Engine\.IO 3\): use --protocol 3, or auto"
    ):
        await connect(server.url, transport=transport, protocol="4", connect_timeout=3)


@pytest.mark.parametrize(
    ("transport", "text"),
    [
        ("auto", r"invalid WebSocket data: .*: try --protocol 4, or auto"),
        ("websocket", r"invalid WebSocket data: .*: try --protocol 4, or auto"),
        ("polling", r"HTTP 400: the server speaks another version of the protocol: try --protocol 4, or"),
    ],
)
async def test_a_server_of_version_4_asked_for_another(
    transport: str, text: str, node_server: StartServer, connect: Connect
) -> None:
    server = await node_server("server4.js")
    with pytest.raises(ConnectError, match=text):
        await connect(server.url, transport=transport, protocol="3", connect_timeout=3)


@pytest.mark.parametrize(
    ("flag", "asked", "other"), [([], "msgpack", "json"), (["--msgpack"], "json", "msgpack")]
)
async def test_a_server_with_another_parser(
    flag: list[str], asked: str, other: str, transport: str, node_server: StartServer, connect: Connect
) -> None:
    server = await node_server("server4.js", *flag)
    text = (
        rf"closed the connection before it answered for the namespace \(.*\): try --parser {other}, or auto"
    )
    with pytest.raises(ConnectError, match=text):
        await connect(server.url, transport=transport, parser=asked, connect_timeout=3)


async def test_a_server_that_closes_with_either_parser(stack: AsyncExitStack, connect: Connect) -> None:
    """The attempt with the other parser is not reported, because it did not help."""

    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.receive()

    line = await cause(bad.conversation(script), "websocket", stack, connect)
    assert re.search(r"closed the connection before it answered for the namespace \([^)]*\)$", line)


@pytest.mark.parametrize(
    "body", ['"The client is using an unsupported version of the protocols"', '{"code":5}']
)
async def test_a_server_that_refuses_every_version(
    body: str, stack: AsyncExitStack, connect: Connect
) -> None:
    line = await cause(bad.answers(400, body, "application/json"), "polling", stack, connect)
    assert "HTTP 400: " in line
    assert "--protocol" not in line


async def test_a_handshake_with_an_invalid_ping_interval(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling(pingInterval=None)
    line = await cause(polling.listening(), "polling", stack, connect)
    assert "its handshake is malformed: the handshake's `pingInterval` must be a number from 0 to" in line


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sid", 5),
        ("upgrades", None),
        ("upgrades", {"websocket": True}),
        ("pingInterval", "25000"),
        ("pingInterval", 10**400),
        ("pingTimeout", [20000]),
        ("pingTimeout", 1e300),
        ("maxPayload", "1e6"),
        ("maxPayload", None),
    ],
)
async def test_a_handshake_with_a_field_of_another_type(
    field: str, value: Any, transport: str, stack: AsyncExitStack, connect: Connect
) -> None:
    handshake = "0" + json.dumps(bad.OPEN | {field: value})

    async def script(talk: bad.Conversation) -> None:
        await talk.send(handshake)
        await talk.receive()
        await talk.send('40{"sid":"sio"}')
        await talk.receive()

    start = time.monotonic()
    line = await cause(bad.conversation(script, polled=handshake), transport, stack, connect)
    assert f"its handshake is malformed: the handshake's `{field}` must be" in line
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("answer", ['40{"sid":5}', "40[]", '40{"sid":', "44[]", '44/,"x'])
async def test_a_malformed_answer_for_the_namespace(
    answer: str, stack: AsyncExitStack, connect: Connect
) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.receive()
        await talk.send(answer)
        await talk.receive()

    line = await cause(bad.conversation(script), "websocket", stack, connect)
    assert "its answer for the namespace is malformed: " in line


async def test_no_such_host(connect: Connect) -> None:
    with pytest.raises(ConnectError, match=r"no such host: no-such-host\.invalid"):
        await connect("http://no-such-host.invalid:1")


async def test_a_port_that_drops_connections(connect: Connect) -> None:
    """A full backlog looks like a firewall to the client."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            assert filler.connect_ex(deaf.getsockname()) == errno.EINPROGRESS
        with pytest.raises(ConnectError, match=r"no connection within 0\.6 s: a firewall"):
            await connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_timeout=TIMEOUT)


async def test_hostile_text_stays_one_line(stack: AsyncExitStack, connect: Connect) -> None:
    peer = bad.answers(200, "0" + '{"sid":"\x1b]52;c;aGk=\x07"', "text/plain")
    assert "\x1b" not in await cause(peer, "polling", stack, connect)


async def test_invalid_websocket_data_before_the_handshake(stack: AsyncExitStack, connect: Connect) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        answer = f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept(key)}\r\n"
        writer.write(f"{answer}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode())
        writer.write(frame(1, b'0{"sid":"\xff"}'))
        await reader.read()

    line = await cause(bad.tcp(talk), "websocket", stack, connect)
    assert line.endswith("it sends invalid WebSocket data: a text that is not UTF-8")


@pytest.mark.parametrize("transport", ["websocket", "auto"])
async def test_the_reason_of_a_close_frame(transport: str, stack: AsyncExitStack, connect: Connect) -> None:
    peer = bad.conversation(lambda talk: talk.close(4001, "token expired"))
    line = await cause(peer, transport, stack, connect)
    assert line.endswith("it closed the WebSocket before the handshake (code 4001: token expired)")


async def test_a_proxy_that_blocks_posts(
    reference: Reference, stack: AsyncExitStack, connect: Connect
) -> None:
    peer = proxies.blocks_posts((await reference()).url, b"403 Forbidden")
    line = await cause(peer, "polling", stack, connect)
    assert line.endswith("HTTP 403 to a POST: does a proxy or firewall block it?")
