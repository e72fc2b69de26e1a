"""Compare `nsroom bench` with artillery's engine, against one Node server: `python -m benchmarks.load`.

Artillery brings a thousand packages, so it is not in the lock file: install it anywhere, and name the folder.

    npm install --prefix /tmp/artillery --ignore-scripts artillery artillery-engine-socketio-v3
    python -m benchmarks.load --artillery /tmp/artillery
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import HERE, NSROOM, Cost, head, measure, row
from benchmarks.machine import print_machine
from benchmarks.peers import node_version, version
from tests.peers.node import find_node, install


@dataclass(frozen=True, slots=True)
class Node:
    """A server and its CPU time."""

    url: str
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Return the CPU seconds so far."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"?\n")
        self.process.stdin.flush()
        return float(_line(self.process)["cpu"]) / 1e6


def _line(process: subprocess.Popen[bytes]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@contextmanager
def serving(node: str, env: dict[str, str]) -> Iterator[Node]:
    """Start the server."""
    pipe = subprocess.PIPE
    with subprocess.Popen([node, str(HERE / "load.cjs")], stdin=pipe, stdout=pipe, env=env) as process:
        try:
            yield Node(f"http://127.0.0.1:{_line(process)['listening']}", process)
        finally:
            process.kill()


def nsroom(url: str, *options: str) -> tuple[Cost, dict[str, Any]]:
    """Run `nsroom bench`; return its cost, including its workers, and its report."""
    with tempfile.TemporaryFile() as out:
        command = (NSROOM, "bench", "-u", url, "--json", *options)
        cost = measure(command, dict(os.environ), out.fileno())
        out.seek(0)
        return cost, json.load(out)["scenarios"]


def artillery(node: str, folder: Path, url: str, clients: int, events: int) -> Cost:
    """Connect artillery's clients within a second; each emits its events one after the other."""
    step = {"emit": ["who", "x"], "acknowledge": {}}
    script = {
        "config": {
            "target": url,
            "phases": [{"duration": 1, "arrivalCount": clients}],
            "engines": {"socketio-v3": {"transports": ["websocket"]}},
        },
        "scenarios": [{"engine": "socketio-v3", "flow": [{"loop": [step], "count": events}]}],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(script, file)
        file.flush()
        command = (node, str(folder / "node_modules/artillery/bin/run"), "run", file.name)
        modules = {"NODE_PATH": str(folder / "node_modules"), "ARTILLERY_DISABLE_TELEMETRY": "true"}
        return measure(command, {**os.environ, **modules})


def compare(node: str, env: dict[str, str], folder: Path, clients: int, seconds: float) -> None:
    """Load the server with round trips: each client sends its next event after an answer."""
    with serving(node, env) as server:
        ours, found = nsroom(
            server.url, "--scenario", "ack", "--clients", str(clients), "--duration", str(seconds)
        )
        count = found["ack"]["count"]
    events = max(1, count // clients // 4)
    with serving(node, env) as server:
        theirs = artillery(node, folder, server.url, clients, events)
    each, rival = ours.cpu / count * 1e6, theirs.cpu / (events * clients) * 1e6
    head(f"{clients} clients, round trips", "artillery")
    row("CPU per round trip", each, rival, unit="µs")
    row("clients a core, 1 event/s", 1e6 / each, 1e6 / rival)
    row("peak memory", ours.peak, theirs.peak, unit="MiB")


_IN_FLIGHT = "8"
"""Events in flight of each client or room: with one, the server is idle half of the time."""


def saturate(node: str, env: dict[str, str], clients: int, seconds: float) -> None:
    """Compare the cost of an answer and of a delivery to the server and to the process that loads it."""
    head(f"{clients} clients, saturated", "the server")
    for scenario in ("ack", "fan-out"):
        with serving(node, env) as server:
            load = ("--clients", str(clients), "--duration", str(seconds), "--in-flight", _IN_FLIGHT)
            before = server.cpu()
            _, found = nsroom(server.url, "--scenario", scenario, *load)
            theirs = server.cpu() - before
        each = found[scenario]
        ours = each["busy"] * each["seconds"]
        row(f"{scenario}, CPU of one", ours / each["count"] * 1e6, theirs / each["count"] * 1e6, unit="µs")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--artillery", type=Path, help="the folder with artillery's node_modules")
    parser.add_argument("--seconds", type=float, default=10, help="of each scenario (default: 10)")
    options = parser.parse_args()
    node = str(find_node())
    modules = install(Path(node))
    env = {**os.environ, "NODE_PATH": str(modules)}
    versions = {"node": node_version(Path(node)), "socket.io": version(modules, "socket.io")}
    if options.artillery:
        found = options.artillery / "node_modules"
        versions |= {name: version(found, name) for name in ("artillery", "artillery-engine-socketio-v3")}
    print_machine(**versions)
    for clients in (200, 2000):
        saturate(node, env, clients, options.seconds)
    if options.artillery:
        for clients in (100, 500):
            compare(node, env, options.artillery, clients, options.seconds)


if __name__ == "__main__":
    main()
