"""Which event loop a server runs on."""

import re
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import LISTENING
from tests.peers.program import Spawner
from tests.server.conftest import LOOPS


@pytest.mark.parametrize("name", LOOPS)
async def test_a_server_runs_on_uvloop_if_it_is_installed(spawn: Spawner, tmp_path: Path, name: str) -> None:
    if name == "asyncio":
        (tmp_path / "uvloop.py").write_text("raise ImportError('not for this platform')")
    server = await spawn("serve", "-v", "--port", "0", "--history", "none", env={"PYTHONPATH": str(tmp_path)})
    listening = LISTENING.search(await server.err("nsroom: listening on ", timeout=20))
    assert listening
    await server.err(f"nsroom: event loop: {name}\n")
    async with aiohttp.ClientSession() as http, http.get(f"{listening[1]}/metrics") as response:
        found = re.search(r'^nsroom_event_loop\{loop="(\w+)"\} 1.0$', await response.text(), re.M)
    assert found
    assert found[1] == name
    server.signal(signal.SIGINT)
    assert await server.end() == 130
