"""The cost of the proxy for a round trip and for each event: `python -m benchmarks.proxy`."""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import aiohttp

from benchmarks.__main__ import NSROOM, head, listening, measure, row, script
from tests.peers.node import find_node, install

READY = re.compile(rb"listening on (\S+),")


@contextlib.contextmanager
def proxying(url: str, *args: str, stdout: int = subprocess.DEVNULL) -> Iterator[tuple[str, list[float]]]:
    """Start a proxy; yield its URL and, at the end, its CPU seconds and peak memory in MiB."""
    command = [NSROOM, "proxy", url, "--listen", ":0", *args]
    cost: list[float] = []
    with subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        ready = READY.search(process.stderr.readline())
        assert ready
        try:
            yield ready[1].decode(), cost
        finally:
            process.send_signal(signal.SIGINT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cost += [usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]


async def round_trips(urls: list[str], count: int) -> list[list[float]]:
    """Return the milliseconds of acknowledged events; the URLs take turns."""
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        sockets = []
        for url in urls:
            path = f"{url}/socket.io/?EIO=4&transport=websocket"
            sockets.append(await stack.enter_async_context(http.ws_connect(path)))
            await sockets[-1].send_str("40")
            while not (await sockets[-1].receive_str()).startswith("40"):
                continue
        times: list[list[float]] = [[] for _ in urls]
        for number in range(count):
            for socket, took in zip(sockets, times, strict=True):
                before = time.perf_counter()
                await socket.send_str(f'42{number}["leave","room"]')
                while not (await socket.receive_str()).startswith(f"43{number}["):
                    continue
                took.append((time.perf_counter() - before) * 1e3)
    return times


def latency(node: str, count: int) -> None:
    """Print the added time."""
    with listening(node, "server4.js") as url, proxying(url, "--json") as (relayed, _):
        direct, through = asyncio.run(round_trips([url, relayed], count))
    a, b = statistics.median(direct), statistics.median(through)
    sys.stdout.write(f"round trip, median of {count}, ms: direct {a:.3f}, proxy {b:.3f}, added {b - a:.3f}\n")
    a, b = (statistics.quantiles(each, n=100)[98] for each in (direct, through))
    sys.stdout.write(f"round trip, 99th percentile, ms: direct {a:.3f}, proxy {b:.3f}, added {b - a:.3f}\n")


def firehose(node: str, env: dict[str, str], count: int) -> None:
    """Print the cost of a flood to the proxy, and how much longer it takes."""
    with listening(node, "flood.js", str(count)) as url:
        direct = measure((node, script("watch"), str(count), url), env)
    with listening(node, "flood.js", str(count)) as url, tempfile.TemporaryFile() as out:
        with proxying(url, stdout=out.fileno()) as (relayed, cost):
            through = measure((node, script("watch"), str(count), relayed), env)
            wait_for(out.fileno())
        out.seek(0)
        seen = sum(b'"kind":"event"' in line for line in out)
        assert seen == count, f"{seen} of {count} events were shown"
    cpu, peak = cost
    head(f"{count} events", "a reader")
    row("events per second", count / through.wall, count / direct.wall)
    row("CPU per event", cpu / count * 1e6, direct.cpu / count * 1e6, unit="µs")
    row("peak memory", peak, direct.peak, unit="MiB")


def wait_for(fd: int) -> None:
    """Wait until a file stops growing."""
    size = -1
    while size != (size := os.fstat(fd).st_size):
        time.sleep(0.3)


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("--trips", type=int, default=3000, help="round trips each way (default: 3000)")
    parser.add_argument("--events", type=int, default=200_000, help="events of the flood (default: 200000)")
    options = parser.parse_args()
    node = find_node()
    env = {**os.environ, "NODE_PATH": str(install(node))}
    latency(str(node), options.trips)
    firehose(str(node), env, options.events)


if __name__ == "__main__":
    main()
