"""The cost of a delivery and of a connection, compared with other servers: `python -m benchmarks.fanout`.

Only the servers' own CPU time counts. Every member compares what it gets with what the others got, byte for
byte; the run ends with an error if a delivery is missing, doubled or out of order. It needs Linux.
"""

import argparse
import asyncio
import contextlib
import functools
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.__main__ import head, row
from benchmarks.crowd import Crowd
from benchmarks.machine import print_machine
from benchmarks.peers import ADAPTER, Peer, find_peers, node_on_ws
from benchmarks.room import Room, Spent
from benchmarks.scale.process import environment
from benchmarks.serving import Served, Start, raise_descriptor_limit, serve_command, serving
from tests.peers.node import find_node, install_into
from tests.peers.valkey_server import valkey

_DELIVERIES = 60_000
"""Deliveries in a round, about."""
_MOST = 500
"""The most messages in a round: they are queued on the server for the member that polls."""
_CONNECTS = 500
_IDLE = 2000

T = TypeVar("T")


def connect(served: Served) -> float:
    """Return the CPU seconds of a connect, including the namespace."""
    crowd, costs = Crowd(served.urls), []
    for _ in range(_CONNECTS // 10):
        served.rest()
        before = served.cpu
        members = crowd.connect(10)
        costs.append(served.cpu - before)
        crowd.close(members)
    return statistics.median(costs) / 10


def grow(served: Served) -> tuple[float, float]:
    """Return the cost of each of many connections that are all greeted: CPU seconds, KiB."""
    crowd = Crowd(served.urls)
    crowd.connect(_IDLE // 10)
    served.rest()
    cpu, memory = served.cpu, served.memory
    crowd.connect(_IDLE)
    crowd.settle()
    served.rest()
    return (served.cpu - cpu) / _IDLE, (served.memory - memory) / _IDLE


def _alone(start: Start, measure: Callable[[Served], T]) -> T:
    """Measure fresh servers after a warm-up."""
    with start() as served:
        connect(served)
        return measure(served)


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments."""

    sizes: Sequence[int]
    rounds: int
    windows: Sequence[int]


Cases = Mapping[str, tuple[Start, str]]
"""What is measured: how our server is started, and the event that is sent."""


def connections(ours: Start, peers: Mapping[str, Start]) -> None:
    """Print the cost of a connection."""
    starts = (ours, *peers.values())
    head("a connection", *peers)
    row(
        "CPU per connect, namespace empty",
        *(_alone(start, connect) * 1e6 for start in starts),
        unit="µs",
    )
    costs, sizes = zip(*(_alone(start, grow) for start in starts), strict=True)
    row(f"CPU per connect, {_IDLE:,} in one", *(cost * 1e6 for cost in costs), unit="µs")
    row("memory", *sizes, unit="KiB")


def fan_out(cases: Cases, peers: Mapping[str, Start], size: int, given: Given) -> None:
    """Print the cost of a delivery in a room of this size; the servers take turns."""
    count = max(3, min(_MOST, _DELIVERIES // size))
    with contextlib.ExitStack() as stack:
        starts = {*(start for start, _ in cases.values()), *peers.values()}
        rooms = {start: Room(stack.enter_context(start()), size) for start in starts}
        head(f"{size} members, CPU", *peers)
        for window in given.windows:
            for label, (ours, event) in cases.items():
                rivals = [rooms[start] for start in (ours, *peers.values())]
                turns = [
                    [room.cost(event, count, window) for room in rivals] for _ in range(given.rounds + 1)
                ]
                _print_costs(f"{label}, {window} in flight", list(zip(*turns[1:], strict=True)))


def _print_costs(label: str, costs: Sequence[Sequence[Spent]]) -> None:
    row(label, *(statistics.median(cost.cpu for cost in each) for each in costs), unit="µs")
    # It advances in steps of 10 ms, which a median would not even out.
    row("  of it the system's", *(statistics.mean(cost.system for cost in each) for each in costs), unit="µs")


def _start(peer: Peer, *args: str, count: int = 1) -> Start:
    return functools.partial(serving, peer.command(*args), peer.env, count)


def _nsroom(*options: str, count: int = 1) -> Start:
    return functools.partial(serving, serve_command(*options), environment(), count)


def alone(given: Given) -> None:
    """Print the tables of one server."""
    with tempfile.TemporaryDirectory() as folder:
        found = find_peers(Path(folder))
        print_machine(**{peer.name: peer.version for peer in found})
        peers = {peer.name: _start(peer) for peer in found}
        forgetful = _nsroom("--history", "none")
        cases = {
            "emit": (forgetful, "emit"),
            "message": (forgetful, "message"),
            "stored": (_nsroom("--history", f"{folder}/history.db"), "message"),
        }
        connections(forgetful, peers)
        for size in given.sizes:
            fan_out(cases, peers, size, given)


async def over_redis(given: Given) -> None:
    """Print the tables of two servers over Redis."""
    with tempfile.TemporaryDirectory() as folder:
        peer = node_on_ws(install_into(Path(folder) / "node", find_node(), *ADAPTER))
        print_machine(ws=peer.version)
        for size in given.sizes:
            # A separate Valkey for each size: a shared one would still list the members of stopped servers.
            (data := Path(folder) / f"valkey-{size}").mkdir()
            async with valkey(data) as bus:
                ours = _nsroom("--redis", bus.url, "--history", "none", count=2)
                cases = {event: (ours, event) for event in ("emit", "message")}
                fan_out(cases, {"ws": _start(peer, bus.url, count=2)}, size, given)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fanout", description=__doc__)
    parser.add_argument("--members", type=int, nargs="+", default=[200, 3000], help="default: 200 3000")
    parser.add_argument("--rounds", type=int, default=5, help="the servers take turns (default: 5)")
    parser.add_argument("--windows", type=int, nargs="+", default=[1, 16], help="messages in flight: 1 16")
    parser.add_argument(
        "--redis", action="store_true", help="two servers over Redis, half of the members each"
    )
    options = parser.parse_args()
    raise_descriptor_limit()
    given = Given(options.members, options.rounds, options.windows)
    if options.redis:
        asyncio.run(over_redis(given))
    else:
        alone(given)


if __name__ == "__main__":
    main()
