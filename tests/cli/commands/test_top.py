"""`nsroom top`, the real program: where it runs, and where its data comes from."""

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
