"""One scenario against servers of several kinds, and against one that sends to everyone."""

from pathlib import Path

from tests.conftest import StartServer
from tests.peers.program import Runner, Server

LOBBY = """\
# lobby.nsroom
ann: connect /chat
bob: connect /chat
ann: join lobby
bob: join lobby
cat: connect /chat
ann: call message room=lobby text=hi n:={n}
bob: expect event=message & arg.0.n={n} within 20s
cat: never event=message for 300ms
"""


async def run(nsroom: Runner, server: Server, folder: Path, text: str) -> tuple[int, str]:
    (folder / "lobby.nsroom").write_text(text)
    result = await nsroom("test", "lobby.nsroom", server.url, "--set", "n=7", timeout=60)
    return result.code, result.stderr


async def test_our_server(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    assert (await run(nsroom, server, tmp_path, LOBBY))[0] == 0


async def test_node(nsroom: Runner, node_server: StartServer, tmp_path: Path) -> None:
    server = await node_server("server4.js")
    code, said = await run(nsroom, server, tmp_path, LOBBY)
    assert code == 0, said
    everyone = LOBBY.replace("call message", "call shout").replace("event=message", "event=echo")
    code, said = await run(nsroom, server, tmp_path, everyone)
    assert (code, "lobby.nsroom:9: cat: never event=echo for 300ms: it was received" in said) == (1, True)
    assert "←  echo" in said


async def test_socket_io_2(nsroom: Runner, node_server: StartServer, tmp_path: Path) -> None:
    text = (
        "ann: connect /chat\nann: reply question yes\nann: call x {n} as n2=arg.0\nann: expect arg.0={n2}\n"
    )
    text += "ann: call ask\nann: expect event=answer & arg.0=yes\n"
    code, said = await run(nsroom, await node_server("server2.js"), tmp_path, text)
    assert code == 0, said


async def test_python_socketio(nsroom: Runner, python_server: StartServer, tmp_path: Path) -> None:
    code, said = await run(nsroom, await python_server(), tmp_path, LOBBY)
    assert code == 0, said


async def test_the_gist(nsroom: Runner, node_server: StartServer, tmp_path: Path) -> None:
    """It acknowledges nothing, and speaks only when told to; each `expect` finds what was said before it."""
    server = await node_server("gist.js")
    (tmp_path / "gist.nsroom").write_text(
        "ann: connect\nann: join lobby --join-preset room\nbob: connect\nbob: never event=message for 1ms\n"
    )
    assert (await nsroom("test", "gist.nsroom", server.url, timeout=60)).code == 0
