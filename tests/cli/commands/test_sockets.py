"""`nsroom sockets`, the real program, with the reference server's admin namespace."""

import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Server, Spawner

ADMIN = ("--admin-auth", "ann:s3cret")


@pytest.fixture
async def server(serve: StartServer) -> Server:
    """A reference server with an administrator."""
    return await serve("--admin", "ann:s3cret")


async def test_a_list_of_sockets(nsroom: Runner, spawn: Spawner, server: Server) -> None:
    member = await spawn("join", "lobby", "-n", "/chat", "-u", server.url)
    await member.err("joined lobby")
    result = await nsroom("sockets", "-u", server.url, *ADMIN, "--json")
    assert (result.code, result.stderr) == (0, "")
    [socket] = result.records()
    assert (socket["namespace"], socket["transport"], socket["rooms"]) == ("/chat", "websocket", ["lobby"])
    elsewhere = await nsroom("sockets", "-u", server.url, "-n", "/lab", *ADMIN)
    assert (elsewhere.code, elsewhere.stderr) == (0, "nsroom: no sockets: no client is connected\n")


async def test_a_table(nsroom: Runner, spawn: Spawner, server: Server) -> None:
    member = await spawn("join", "lobby", "-n", "/chat", "-u", server.url)
    await member.err("joined lobby")
    head, row = (await nsroom("sockets", "-u", server.url, *ADMIN)).lines
    assert head.split() == ["namespace", "sid", "transport", "address", "connected", "rooms"]
    assert (row.split()[0], row.split()[-1]) == ("/chat", "lobby")


async def test_watch_prints_changes(spawn: Spawner, server: Server) -> None:
    watcher = await spawn("sockets", "-u", server.url, *ADMIN, "--watch", "--json")
    await watcher.err("connected to")
    member = await spawn("connect", "/chat", "-u", server.url)
    sid = (await watcher.seen(namespace="/chat"))["sid"]
    member.signal(2)
    assert await watcher.seen(gone=True) == {"namespace": "/chat", "sid": sid, "gone": True}


async def test_a_server_without_an_admin_namespace_is_code_4(nsroom: Runner, serve: StartServer) -> None:
    result = await nsroom("sockets", "-u", (await serve()).url, *ADMIN)
    assert (result.code, result.stdout) == (4, "")
    assert "the server is not instrumented" in result.stderr
