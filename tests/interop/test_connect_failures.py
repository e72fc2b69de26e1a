"""However a peer fails, connecting ends in time, with code 3 and one line that names the cause."""

import re
from collections.abc import Callable

import pytest

from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Result, Runner

TIMEOUT = "2"
PEERS: dict[str, tuple[Callable[[], bad.Peer], str]] = {
    "nobody listens": (bad.refuses_connections, "refused|nothing listens"),
    "silent": (bad.silent, "2 s|time"),
    "garbage": (bad.garbage, "http"),
    "speaks first": (bad.speaks_first, "http"),
    "closes": (bad.closes, "closed|reset|disconnect"),
    "resets": (bad.resets, "reset|closed|disconnect"),
    "html": (bad.html, r"not (a )?socket\.io|html"),
    "empty": (bad.empty, r"empty|not (a )?socket\.io"),
    "404": (lambda: bad.answers(404, "Not Found"), "404"),
    "502": (lambda: bad.answers(502, "<h1>Bad Gateway</h1>"), "502"),
    "500 with json": (bad.error_json, "500"),
    "redirect to a log-in": (bad.redirects, r"30\d|redirect|html|log-?in"),
    "garbage open": (bad.garbage_open, "open|handshake"),
    "open then silence": (bad.open_then_silence, "2 s|time|answer"),
    "open then close": (bad.open_then_close, "closed"),
}


def _is_one_line(result: Result, cause: str) -> None:
    assert (result.code, result.stdout) == (3, ""), result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith("nsroom: ")
    assert re.search(cause, line, re.IGNORECASE), line


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
@pytest.mark.parametrize("name", PEERS)
async def test_the_cause_is_named(name: str, transport: str, nsroom: Runner) -> None:
    peer, cause = PEERS[name]
    async with peer() as url:
        arguments = ("--connect-timeout", TIMEOUT, "--transport", transport, "--json")
        _is_one_line(await nsroom("connect", url, *arguments, timeout=8), cause)


@pytest.mark.parametrize("transport", ["auto", "websocket"])
@pytest.mark.parametrize("echo", [False, True], ids=["mute", "echo"])
async def test_a_plain_websocket_server(echo: bool, transport: str, nsroom: Runner) -> None:
    async with bad.plain_websocket(echo=echo) as url:
        arguments = ("--connect-timeout", TIMEOUT, "--transport", transport, "--json")
        _is_one_line(await nsroom("connect", url, *arguments, timeout=8), r"2 s|time|socket\.io|426")


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
async def test_a_version_2_server(transport: str, nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server2.js")
    arguments = ("--connect-timeout", TIMEOUT, "--transport", transport, "--json")
    result = await nsroom("connect", server.url, *arguments, "--protocol", "4", timeout=8)
    _is_one_line(result, r"socket\.io 2 \(engine\.io 3\): use --protocol 3, or auto")


async def test_no_such_host(nsroom: Runner) -> None:
    _is_one_line(await nsroom("connect", "http://no-such-host.invalid", "--json"), "no-such-host.invalid")


@pytest.mark.parametrize("command", [("emit", "x"), ("call", "x"), ("join", "lobby"), ("rooms",)])
async def test_every_command_ends_the_same_way(command: tuple[str, ...], nsroom: Runner) -> None:
    async with bad.refuses_connections() as url:
        _is_one_line(await nsroom(*command, "-u", url), "refused|nothing listens")
