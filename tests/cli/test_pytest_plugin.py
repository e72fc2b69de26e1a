"""A short pytest file with our fixtures, run by another pytest against servers of several kinds."""

import sys
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Server

INI = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
FILE = """\
import os

async def test_a_message_reaches_the_room(socketio_client):
    ann, bob, cat = [await socketio_client(os.environ["URL"] + "/chat") for _ in range(3)]
    await ann.join("lobby")
    await bob.join("lobby")
    answer = await ann.call("message", {"room": "lobby", "text": "hi"})
    assert answer.args[0]["ok"]
    await bob.expect("event=message & arg.0.text=hi", within=20)
    await cat.never("event=message", during=0.2)
"""
OWN = """\
async def test_it(nsroom_server, socketio_client):
    client = await socketio_client(nsroom_server)
    assert (await client.call("rooms")).args[0]["ok"]

async def test_the_closest(nsroom_server, socketio_client):
    client = await socketio_client(nsroom_server, "/lab")
    await client.call("echo", 6)
    await client.expect("event=echo & arg.0=7", within=0.01)
"""


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Runner:
    """Run pytest with the plugin in a folder of its own: `await run("test_it.py", env={"URL": url})`."""
    (tmp_path / "pytest.ini").write_text(INI)
    options = ("-p", "no:cacheprovider", "-q")
    # It must not take over our own run's options, nor measure coverage: its warnings are errors there.
    env = {key: value for key, value in environment.items() if not key.startswith(("COV", "PYTEST_"))}
    return Runner((sys.executable, "-m", "pytest", *options), env, tmp_path)


async def passes(run: Runner, server: Server, folder: Path) -> bool:
    (folder / "test_it.py").write_text(FILE)
    result = await run("test_it.py", env={"URL": server.url}, timeout=100)
    assert "1 passed" in result.stdout, result.stdout
    return result.code == 0


async def test_our_server(run: Runner, server: Server, tmp_path: Path) -> None:
    assert await passes(run, server, tmp_path)


async def test_node(run: Runner, node_server: StartServer, tmp_path: Path) -> None:
    assert await passes(run, await node_server("server4.js"), tmp_path)


async def test_python_socketio(run: Runner, python_server: StartServer, tmp_path: Path) -> None:
    assert await passes(run, await python_server(), tmp_path)


async def test_a_server_of_its_own_and_a_failure(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(OWN)
    result = await run("test_it.py", timeout=100)
    assert "1 failed, 1 passed" in result.stdout, result.stdout
    assert (result.code, "arg.0=7, but it is 6" in result.stdout) == (1, True)
