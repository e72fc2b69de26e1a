"""The program starts where Unix' modules, functions and signals do not exist."""

import json
import subprocess
import sys
from pathlib import Path

from tests.peers.program import clean_environment

SCRIPT = r"""
import asyncio, json, os, pkgutil, select, signal, subprocess, sys
import aiohttp, aiohttp.web, orjson, prompt_toolkit.application, rich.console, socketio, typer

for name in ("curses", "fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for module, names in {
    os: "O_CLOEXEC O_NOCTTY O_NONBLOCK O_NOFOLLOW fchmod fork getuid killpg mkfifo set_blocking ttyname",
    select: "PIPE_BUF POLLOUT poll",
    signal: "SIGHUP SIGPIPE SIGTSTP SIGUSR1 SIGWINCH",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)

import nsroom, nsroom_server
for package in (nsroom, nsroom_server):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            __import__(found.name)

from nsroom.main import run
for line in json.loads(sys.argv[1]):
    code = run(line)
    if code:
        sys.exit(f"{line}: code {code}")
"""
LINES = [["--help"], ["connect", "--help"], ["decode", "-f", '42["a",1]'], ["emit", "a", "1", "--offline"]]


def test_it_starts_without_unix(tmp_path: Path) -> None:
    env = {key: value for key, value in clean_environment(tmp_path).items() if not key.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(LINES)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert '42["a",1]' in result.stdout
