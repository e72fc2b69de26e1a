"""The Socket.IO servers that ours is compared with: `room.cjs` on the engines of Node and Bun."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import script
from tests.peers.node import find_node, install, install_into

ADAPTER = ("@socket.io/redis-adapter@8.3.0", "redis@4.7.1", "socket.io-adapter@2.5.5")
_BUN = "bun@1.4.5"
_ENGINE = "@socket.io/bun-engine"
_UWS = "uWebSockets.js"
_UWS_PACKAGE = f"{_UWS}@npm:@btc-vision/uwebsockets.js@20.57.0"
"""Contains its binaries, which need glibc 2.38: uWebSockets.js is not on npm under its own name."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A runtime with an engine, which runs `room.cjs`."""

    name: str
    runtime: Path
    modules: Sequence[Path]
    version: str

    @property
    def env(self) -> dict[str, str]:
        """The environment in which it finds its packages."""
        return {**os.environ, "NODE_PATH": os.pathsep.join(map(str, self.modules))}

    def command(self, *args: str) -> list[str]:
        """Return the command of its server."""
        return [str(self.runtime), script("room"), self.name, *args]


def node_on_ws(*further: Path) -> Peer:
    """Return Node with the engine that Socket.IO uses by default, and with further folders of packages."""
    node = find_node()
    modules = install(node)
    versions = (
        f"{version(modules, 'ws')} on {node_version(node)} with socket.io {version(modules, 'socket.io')}"
    )
    return Peer("ws", node, [*further, modules], versions)


def find_peers(folder: Path) -> list[Peer]:
    """Return all peers; install into `folder`, and print which one is missing, and why."""
    ws = node_on_ws()
    found = [ws]
    for name, find in (("uws", node_on_uws), ("bun", _bun)):
        try:
            found.append(find(folder, ws.modules[-1]))
        except RuntimeError as error:
            sys.stdout.write(f"{name} is left out: {error}\n")
    return found


def node_on_uws(folder: Path, socket_io: Path) -> Peer:
    """Return Node with the first uWebSockets.js that it loads. Raises: RuntimeError if it loads none."""
    node = find_node()
    failure = ""
    for modules in _folders_with_uws(folder, node):
        failure = load_failure(node, modules)
        if not failure:
            versions = f"{version(modules, _UWS)} on {node_version(node)}"
            return Peer("uws", node, [modules, socket_io], versions)
    raise RuntimeError(f"{failure}; name a folder with another {_UWS} in NODE_PATH")


def _folders_with_uws(folder: Path, node: Path) -> Iterator[Path]:
    """Yield the folders of NODE_PATH that have it, then a package that is installed when needed."""
    given = map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)))
    yield from (each for each in given if (each / _UWS).is_dir())
    yield install_into(folder / "uws", node, _UWS_PACKAGE)


def load_failure(node: Path, modules: Path) -> str:
    """Return why Node cannot load it, or an empty string."""
    env = {**os.environ, "NODE_PATH": str(modules)}
    script = f'try {{ require("{_UWS}") }} catch (error) {{ console.log(error.message.split("\\n").pop()) }}'
    return subprocess.run(
        [node, "-e", script], env=env, capture_output=True, text=True, check=False
    ).stdout.strip()


def _bun(folder: Path, socket_io: Path) -> Peer:
    """Return the first build of Bun that runs. Raises: RuntimeError if none does."""
    modules = install_into(folder / "bun", find_node(), _BUN, f"{_ENGINE}@0.1.2")
    # The package's own script, which is not run, would choose the build for the processor.
    for runtime in sorted(modules.glob("@oven/bun-*/bin/bun")):
        with contextlib.suppress(subprocess.CalledProcessError, OSError):
            versions = f"{_ask(runtime, '--version')} with bun-engine {version(modules, _ENGINE)}"
            return Peer("bun", runtime, [modules, socket_io], versions)
    raise RuntimeError("no build of Bun runs here")


def node_version(node: Path) -> str:
    """Return the version of a Node, with its name."""
    return f"Node {_ask(node, '--version').removeprefix('v')}"


def _ask(program: Path, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout.strip()


def version(modules: Path, package: str) -> str:
    """Return the version of an installed package, with its real name if it has another one."""
    described = json.loads((modules / package / "package.json").read_text("utf-8"))
    name = "" if described["name"] == package else f" ({described['name']})"
    return f"{described['version']}{name}"
