"""Fixtures: the real program, the reference server, and JavaScript's servers and clients."""

import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.peers import node as javascript
from tests.peers.browser import Browser
from tests.peers.program import Runner, Server, Spawner, clean_environment, spawner

NSROOM = (sys.executable, "-m", "nsroom")
LISTENING = re.compile(r"nsroom: listening on (\S+)")
PEERS = Path(__file__).parent / "peers"
MEASURED = Path(__file__).parent / "cli"
"""Where the coverage of programs is measured: it triples the time of their start."""

settings.register_profile("gate", deadline=None, max_examples=40)
settings.register_profile("nightly", deadline=None, max_examples=1000)
settings.load_profile("gate")

StartServer = Callable[..., Awaitable[Server]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage of tests with many examples, which go through the same code for a long time."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def environment(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables for every program: a home of its own, and nothing of the person who runs the tests."""
    env = clean_environment(tmp_path)
    if MEASURED not in request.path.parents or request.node.get_closest_marker("no_cover"):
        return {key: value for key, value in env.items() if not key.startswith("COVERAGE_")}
    return env


@pytest.fixture
def nsroom(environment: dict[str, str], tmp_path: Path) -> Runner:
    """Run the real program to its end: `result = await nsroom("emit", "x", stdin=b"…")`."""
    return Runner(NSROOM, environment, tmp_path)


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Runner:
    """Run a line of bash that knows `nsroom`: `await shell("nsroom connect -u $URL | head -1")`."""
    command = " ".join(f"'{part}'" for part in NSROOM)
    script = f'nsroom() {{ {command} "$@"; }}; eval "$1"'
    return Runner(("bash", "-c", script, "bash"), environment, tmp_path)


@pytest.fixture
async def spawn(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Spawner]:
    """Start the real program and go on: `proc = await spawn("connect", "/chat", "--json")`."""
    async with spawner(NSROOM, environment, tmp_path) as start:
        yield start


@pytest.fixture
def serve(spawn: Spawner) -> StartServer:
    """Start the reference server on a free port: `await serve("--token", "x", history="none")`.

    Its coverage is not measured, which would double its cost: tests/server has servers in this process.
    """
    unmeasured = dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))

    async def start(*args: str, history: str | Path = "none") -> Server:
        proc = await spawn("serve", "--port", "0", "--history", str(history), *args, env=unmeasured)
        listening = LISTENING.search(await proc.err("nsroom: listening on ", timeout=20))
        assert listening
        return Server(listening[1], proc)

    return start


@pytest.fixture
async def server(serve: StartServer) -> Server:
    """The reference server as it comes, without a history file."""
    return await serve()


@pytest.fixture(scope="session")
def node() -> Path:
    """A Node that is new enough."""
    return javascript.find_node()


@pytest.fixture(scope="session")
def node_modules(node: Path) -> Path:
    """The JavaScript packages, installed as the lock file says."""
    return javascript.install(node)


@pytest.fixture(scope="session")
def chromium(node: Path, node_modules: Path) -> Path:
    """A Chromium, as its program."""
    return javascript.find_chromium(node, node_modules)


@pytest.fixture
async def browser(node_script: Spawner, chromium: Path) -> Browser:
    """A page in a real Chromium."""
    proc = await node_script("browser.js", "--chromium", str(chromium))
    await proc.record(timeout=60)
    return Browser(proc)


@pytest.fixture
async def node_script(node: Path, node_modules: Path, environment: dict[str, str]) -> AsyncIterator[Spawner]:
    """Start a script of `tests/interop/node`: `client = await node_script("client4.js", url)`."""
    async with spawner((str(node),), environment, node_modules.parent) as start:
        yield start


@pytest.fixture
def node_server(node_script: Spawner) -> StartServer:
    """Start a JavaScript server: `await node_server("server4.js", "--recovery")`."""

    async def start(script: str, *args: str) -> Server:
        return await _listening(node_script, script, *args)

    return start


@pytest.fixture
async def python_script(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start a server of `tests/peers`: `await python_script("instrumented.py", "--readonly")`."""
    env = {key: value for key, value in environment.items() if not key.startswith("COVERAGE_")}
    async with spawner((sys.executable,), env, tmp_path) as spawn:

        async def start(script: str, *args: str) -> Server:
            return await _listening(spawn, str(PEERS / script), *args)

        yield start


@pytest.fixture
def python_server(python_script: StartServer) -> StartServer:
    """Start a plain server on stock python-socketio, with the events of `server4.js`."""
    return lambda *args: python_script("plain_socketio.py", *args)


async def _listening(spawn: Spawner, *args: str) -> Server:
    proc = await spawn(*args)
    ready = await proc.record(timeout=20)
    return Server(f"http://127.0.0.1:{ready['listening']}", proc)
