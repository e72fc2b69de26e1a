"""`nsroom top`, the real program: where it runs, and where its data comes from."""

import asyncio
import signal

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Server, Spawner


async def test_without_a_terminal_it_names_the_commands_for_pipes(nsroom: Runner) -> None:
    result = await nsroom("top")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr == (
        "nsroom: top needs a terminal; in a pipe use `nsroom rooms --json --watch` or"
        " `nsroom sockets --json --watch`\n"
    )


@pytest.mark.parametrize(("options", "shown"), [(("--admin", "ann:s3cret"), "namespaces"), ((), "rooms")])
async def test_the_admin_namespace_or_else_the_events(
    options: tuple[str, ...], shown: str, spawn: Spawner, serve: StartServer
) -> None:
    server = await serve(*options)
    member = await spawn("join", "lobby", "-n", "/chat", "-u", server.url)
    await member.err("joined lobby")
    program = await spawn("top", "-u", server.url, "-n", "/chat", "--admin-auth", "ann:s3cret", tty=True)
    await program.err(shown)
    await program.err("/chat")
    program.type("q")
    assert await program.end() == 0


async def test_admin_alone_is_refused_without_an_admin_namespace(spawn: Spawner, server: Server) -> None:
    program = await spawn("top", "-u", server.url, "--via", "admin", tty=True)
    assert await program.end() == 4
    assert "the server is not instrumented" in program.stdout.text


async def test_figures_for_prometheus(spawn: Spawner, serve: StartServer) -> None:
    server = await serve("--admin", "ann:s3cret")
    member = await spawn("join", "lobby", "-n", "/chat", "-u", server.url)
    await member.err("joined lobby")
    program = await spawn("top", "-u", server.url, "--admin-auth", "ann:s3cret", "--metrics", ":0")
    line = await program.err("/metrics")
    url = line.split()[-1]
    async with aiohttp.ClientSession() as http:

        async def figures() -> str:
            async with http.get(url) as response:
                assert response.content_type == "text/plain"
                return await response.text()

        await spawn("emit", "say", "hi", "-n", "/chat", "-u", server.url)
        async with asyncio.timeout(30):
            while 'socketio_events_total{namespace="/chat",event="say",direction="out"} 1\n' not in (  # noqa: ASYNC110 - nothing tells
                text := await figures()
            ):
                await asyncio.sleep(0.05)
        assert 'socketio_rooms{namespace="/chat"} 1\n' in text
        assert "socketio_up 1\n" in text
        async with http.get(url.removesuffix("metrics")) as response:
            assert response.status == 404
    program.signal(signal.SIGINT)
    assert await program.end() == 130


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (("--metrics", "x:y"), 2, "--metrics 'x:y': write it as :3001"),
        (("--metrics", ":0", "--write"), 2, "--metrics shows no screen"),
        (("--metrics", ":0", "--via", "events"), 2, "it needs a way to see the server from inside"),
    ],
)
async def test_figures_that_cannot_be_served(
    options: tuple[str, ...], code: int, complaint: str, nsroom: Runner
) -> None:
    result = await nsroom("top", *options)
    assert (result.code, result.stdout) == (code, "")
    assert complaint in result.stderr


async def test_a_port_that_is_taken(nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--admin", "ann:s3cret")
    port = server.url.rpartition(":")[2]
    result = await nsroom("top", "-u", server.url, "--admin-auth", "ann:s3cret", "--metrics", port)
    assert result.code == 3
    assert f"127.0.0.1:{port} is in use: stop the other server, or choose another --metrics" in result.stderr
