"""What the server loads: its Socket.IO and Engine.IO are its own."""

import asyncio
import json
import sys

SCRIPT = """
import importlib, json, pkgutil, sys
import nsroom_server
names = [module.name for module in pkgutil.walk_packages(nsroom_server.__path__, "nsroom_server.")]
for name in names:
    importlib.import_module(name)
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


async def test_the_server_loads_no_other_socketio() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT), stdout=asyncio.subprocess.PIPE
    )
    stdout, _ = await process.communicate()
    modules, packages = json.loads(stdout)
    assert "nsroom_server.socketio.server" in modules
    assert {"socketio", "engineio", "bidict", "nsroom"}.isdisjoint(packages)
