"""Single HTTP and WebSocket requests."""

import asyncio

import pytest

from nsroom.client.target import Target
from nsroom.doctor.probes.http import HttpClient, NoResponse, UpgradeRefused
from tests.peers import bad


def target(url: str) -> Target:
    return Target(url=url, connect_timeout=0.3)


async def test_a_response() -> None:
    async with bad.answers(404, headers={"X-A": "1"}) as url, HttpClient(target(url)) as http:
        response = await http.request("GET", {"EIO": "4"})
    assert (response.status, response.headers["x-a"]) == (404, "1")


async def test_a_repeated_header_keeps_its_values() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with bad.tcp(talk) as url, HttpClient(target(url)) as http:
        assert (await http.request("GET", {})).headers.getall("X-A") == ["1", "2"]


async def test_redirects_are_not_followed() -> None:
    async with bad.redirects() as url, HttpClient(target(url)) as http:
        assert (await http.request("GET", {})).status == 302


async def test_a_long_body_is_truncated() -> None:
    async with bad.answers(200, "x" * 1_000_000) as url, HttpClient(target(url)) as http:
        assert len((await http.request("GET", {})).body) == 262_144


@pytest.mark.parametrize(
    ("peer", "timed_out", "reason"),
    [
        (bad.silent, True, "no answer within 0.3 s"),
        (bad.garbage, False, "not HTTP"),
        (bad.refuses_connections, False, "nothing listens"),
    ],
)
async def test_no_response(peer: type[bad.Peer], timed_out: bool, reason: str) -> None:
    async with peer() as url, HttpClient(target(url)) as http:
        for request in (http.request("GET", {}), http.websocket({})):
            with pytest.raises(NoResponse) as caught:
                await request
            assert caught.value.timed_out is timed_out
        assert reason in str(caught.value)


async def test_a_refused_websocket() -> None:
    async with bad.answers(403) as url, HttpClient(target(url)) as http:
        with pytest.raises(UpgradeRefused) as caught:
            await http.websocket({})
    assert caught.value.status == 403


@pytest.mark.parametrize("path", ["socket.io", "/socket.io", "/socket.io/"])
def test_the_path_has_a_slash_at_both_ends(path: str) -> None:
    assert HttpClient(Target(path=path)).path == "/socket.io/"
