"""Does anything grow? `python -m benchmarks.soak --hours 8`, on Linux.

A server that keeps a history, two clients that watch it (one into a file of records), and rounds of
`nsroom bench`, which connects and disconnects. After each round the memory and the descriptors of the server
and of the clients are read; the exit code is 1 if the last quarter is above the second, or a round failed.
"""

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

NSROOM = (sys.executable, "-m", "nsroom")
ROUND = 10
"""Seconds of each scenario of a round."""
FEWEST = 8
"""Rounds, for four quarters of two."""
GROWTH = 1.1
SLACK_MEMORY, SLACK_DESCRIPTORS = 8 * 2**20, 8
"""How much more a process may grow, in bytes and in descriptors."""


class Sample(NamedTuple):
    """What a process holds."""

    memory: int
    """Bytes."""
    descriptors: int


def sample(pid: int) -> Sample:
    """Return what a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    kilobytes = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert kilobytes is not None, f"process {pid} ended"
    return Sample(int(kilobytes[1]) * 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def growth(samples: Sequence[Sample]) -> str | None:
    """Return what grew from the second quarter of the samples to the last, or None."""
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    for name, slack in (("memory", SLACK_MEMORY), ("descriptors", SLACK_DESCRIPTORS)):
        before, after = (statistics.median(getattr(each, name) for each in part) for part in (early, late))
        if after > before * GROWTH + slack:
            return f"{name} grew from {before:,.0f} to {after:,.0f}"
    return None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[str, dict[str, subprocess.Popen[bytes]]]]:
    """Start the server and the clients; yield the server's URL and the processes by name."""
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context((folder / "server.log").open("wb"))
        history = str(folder / "history.db")
        server = _start(stack, ["serve", "--port", "0", "--history", history], stderr=errors)
        url = _url(server, folder / "server.log")
        processes = {"server": server}
        for name, options in (("watcher", ()), ("recorder", ("--save", str(folder / "record.ndjson")))):
            processes[name] = _start(stack, ["connect", f"{url}/", "--json", *options], stderr=errors)
        yield url, processes


def _start(stack: contextlib.ExitStack, arguments: list[str], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [*NSROOM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process


def _url(server: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(200):
        if found := re.search(r"listening on (\S+)", log.read_text("utf-8", "replace")):
            return found[1]
        assert server.poll() is None, "the server did not start"
        time.sleep(0.1)
    raise AssertionError("the server did not start in 20 s")


def play_round(url: str, seconds: float, clients: int) -> bool:
    """Connect, send and disconnect for a while; return whether all of it worked."""
    options = ("-c", str(clients), "--duration", str(seconds), "--max-errors", "0", "--json")
    command = (*NSROOM, "bench", f"{url}/", *options)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        sys.stdout.write(f"bench ended with {done.returncode}: {done.stderr.decode(errors='replace')}\n")
    return done.returncode == 0


def soak(hours: float, clients: int, folder: Path) -> int:
    """Return how many rounds failed and processes grew."""
    faults, end = 0, time.monotonic() + hours * 3600
    duration = min(ROUND, hours * 3600 / FEWEST / 4)
    with running(folder) as (url, processes):
        samples: dict[str, list[Sample]] = {name: [] for name in processes}
        while time.monotonic() < end or len(samples["server"]) < FEWEST:
            faults += not play_round(url, duration, clients)
            for name, process in processes.items():
                samples[name].append(sample(process.pid))
            now = [
                f"{name} {held[-1].memory >> 20} MiB {held[-1].descriptors} fd"
                for name, held in samples.items()
            ]
            sys.stdout.write(f"round {len(samples['server'])}: {', '.join(now)}\n")
            sys.stdout.flush()
    for name, held in samples.items():
        grown = growth(held)
        faults += grown is not None
        sys.stdout.write(f"{name}: {grown or 'did not grow'}\n")
    return faults


def main() -> int:
    """Return 0 if nothing grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--clients", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return int(soak(options.hours, options.clients, Path(folder)) > 0)


if __name__ == "__main__":
    sys.exit(main())
