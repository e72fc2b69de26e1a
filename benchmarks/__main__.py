"""Compare nsroom with ten-line Node scripts, in one run: `python -m benchmarks`."""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.node import SCRIPTS, find_node, install

HERE = Path(__file__).parent
NSROOM = str(Path(sys.executable).parent / "nsroom")


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one run of a program: wall and CPU seconds, peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


# Linux counts the memory of the process that starts a program towards the program's peak: this one is small.
_WATCH = """
import json, os, sys, time
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
cost = time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
os.write(int(sys.argv[1]), json.dumps([os.waitstatus_to_exitcode(status), *cost]).encode())
"""


def measure(
    command: Sequence[str],
    env: dict[str, str],
    stdout: int = subprocess.DEVNULL,
    stdin: int = subprocess.DEVNULL,
) -> Cost:
    """Run a program, named by its path, to its end. Raises: CalledProcessError."""
    told, tell = os.pipe()
    with open(told, "rb") as costs:
        watch = (sys.executable, "-ISc", _WATCH, str(tell), *command)
        process = subprocess.Popen(watch, env=env, stdin=stdin, stdout=stdout, pass_fds=[tell])
        os.close(tell)
        code, wall, cpu, peak = json.loads(costs.read())
        process.wait()
    if code:
        raise subprocess.CalledProcessError(code, command)
    in_mib = 2**20 if sys.platform == "darwin" else 2**10
    return Cost(wall, cpu, peak / in_mib)


def medians(rivals: dict[str, Sequence[str]], env: dict[str, str], runs: int) -> dict[str, Cost]:
    """Run the rivals in turn, so that a busy moment hits all of them; return the median of each."""
    costs: dict[str, list[Cost]] = {name: [] for name in rivals}
    for _ in range(runs):
        for name, command in rivals.items():
            costs[name].append(measure(command, env))
    return {name: _median(of) for name, of in costs.items()}


def _median(costs: list[Cost]) -> Cost:
    columns = ((c.wall for c in costs), (c.cpu for c in costs), (c.peak for c in costs))
    return Cost(*(statistics.median(column) for column in columns))


@contextlib.contextmanager
def listening(node: str, script: str, *args: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a server of `tests/interop/node`, or another script, and yield its URL."""
    command = [node, str(SCRIPTS / script), *args]  # a whole path stays as it is
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        try:
            port = json.loads(process.stdout.readline())["listening"]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def start_up(node: str, env: dict[str, str], runs: int) -> None:
    """Time the commands that scripts run often."""
    with listening(node, "server4.js") as url:
        print_version = (node, "-p", 'require("socket.io-client/package.json").version')
        rivals: dict[str, tuple[Sequence[str], Sequence[str]]] = {
            "--version": (("--version",), print_version),
            "--help": (("--help",), print_version),
            "emit": (("emit", "-u", url, "say", "hello"), (node, script("emit"), url, "say", "hello")),
            "call": (("call", "-u", url, "say", "hello"), (node, script("call"), url, "say", "hello")),
        }
        head(f"wall time, median of {runs}")
        for name, (ours, theirs) in rivals.items():
            cost = medians({"nsroom": (NSROOM, *ours), "node": theirs}, env, runs)
            row(name, cost["nsroom"].wall * 1e3, cost["node"].wall * 1e3, unit="ms")


def firehose(node: str, env: dict[str, str], count: int) -> None:
    """Measure writing a flood of events to a file."""
    nsroom, rival = [
        flood(node, env, count, command)
        for command in ((NSROOM, "connect", "--json", "-C", str(count)), (node, script("watch"), str(count)))
    ]
    head(f"{count} events to a file")
    row("events per second", count / nsroom.wall, count / rival.wall)
    row("CPU per event", nsroom.cpu / count * 1e6, rival.cpu / count * 1e6, unit="µs")
    row("peak memory", nsroom.peak, rival.peak, unit="MiB")


def flood(node: str, env: dict[str, str], count: int, command: Sequence[str]) -> Cost:
    """Measure a program that writes `events` events of a server, its last argument, to a file."""
    with listening(node, "flood.js", str(count)) as url, tempfile.TemporaryFile() as out:
        cost = measure((*command, url), env, out.fileno())
        out.seek(0)
        assert sum(1 for _ in out) == count, f"{command} lost events"
    return cost


def script(name: str) -> str:
    """Return the path of a Node script."""
    return str(HERE / f"{name}.cjs")


def head(title: str, *rivals: str) -> None:
    """Print the head of a table, with a ratio for each rival."""
    columns = "".join(f"{rival:>12}{'ratio':>8}" for rival in rivals or ("node",))
    sys.stdout.write(f"\n{title:<34}{'nsroom':>12}{columns}\n")


def row(name: str, ours: float, *theirs: float, unit: str = "") -> None:
    """Print a line of the table."""
    label = f"{name}, {unit}" if unit else name
    columns = "".join(f"{each:>12,.1f}{ours / each if each else math.nan:>8.2f}" for each in theirs)
    sys.stdout.write(f"{label:<34}{ours:>12,.1f}{columns}\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of each command (default: 10)")
    parser.add_argument("--events", type=int, default=200_000, help="events of the flood (default: 200000)")
    options = parser.parse_args()
    node = find_node()
    env = {**os.environ, "NODE_PATH": str(install(node))}
    start_up(str(node), env, options.runs)
    firehose(str(node), env, options.events)


if __name__ == "__main__":
    main()
