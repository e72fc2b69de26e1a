"""The cost of a delivery and of a connection, compared with Node's socket.io: `python -m benchmarks.fanout`.

Only the servers' own CPU time counts. Every member compares what it gets with what the others got, byte for
byte; the run ends with an error if a delivery is missing, doubled or out of order. It needs Linux.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks.__main__ import head, row, script
from benchmarks.crowd import PATIENCE, Crowd, Poller, frames, text
from tests.peers.node import find_node, install, install_into
from tests.peers.valkey_server import valkey

_TEXT = "x" * 93
"""The text of a message after its number and a space: 100 bytes."""
_DELIVERIES = 60_000
"""Deliveries in a round, about."""
_MOST = 500
"""The most messages in a round: they are queued on the server for the member that polls."""
_CONNECTS = 500
_IDLE = 2000
_UNLIMITED = ("events", "address_events", "address_connects")
_LISTENING = re.compile(r"listening on (\S+)")
_ADAPTER = ("@socket.io/redis-adapter@8.3.0", "redis@4.7.1", "socket.io-adapter@2.5.5")


@dataclass(frozen=True, slots=True)
class Served:
    """Running servers of one kind."""

    urls: Sequence[str]
    pids: Sequence[int]

    @property
    def cpu(self) -> float:
        """The CPU seconds of all their threads, so far."""
        # Linux makes a process's CPU clock out of its id; /proc/PID/stat has the same in steps of 10 ms.
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids)

    @property
    def system(self) -> float:
        """The part of it in system calls."""
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.pids)
        return sum(int(each[12]) for each in stats) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> float:
        """Their memory in KiB."""
        lines = (Path(f"/proc/{pid}/status").read_text() for pid in self.pids)
        return sum(int(each.partition("VmRSS:")[2].split()[0]) for each in lines)

    def rest(self) -> None:
        """Wait until they are idle."""
        before, now = -1.0, self.cpu
        while now - before > 0.002 or self._is_runnable:
            time.sleep(0.05)
            before, now = now, self.cpu

    @property
    def _is_runnable(self) -> bool:
        """Whether a thread has work to do: on a busy machine it may get no CPU time for a while."""
        stats = (stat for pid in self.pids for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
        return any(stat.read_text().rpartition(")")[2].split()[0] != "S" for stat in stats)


T = TypeVar("T")


class Spent(NamedTuple):
    """CPU time, in µs."""

    cpu: float
    system: float
    """The part of it in system calls."""


Start = Callable[[], contextlib.AbstractContextManager[Served]]


@contextlib.contextmanager
def serving(command: Sequence[str], env: dict[str, str], count: int = 1) -> Iterator[Served]:
    """Start servers that print their URL."""
    with contextlib.ExitStack() as stack:
        urls, pids = [], []
        for _ in range(count):
            log = stack.enter_context(tempfile.NamedTemporaryFile())
            process = stack.enter_context(subprocess.Popen(command, env=env, stdout=log, stderr=log))
            stack.callback(process.kill)
            urls.append(_url(Path(log.name)))
            pids.append(process.pid)
        yield Served(urls, pids)


def _url(log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := _LISTENING.search(log.read_text())):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[1]


def serve_command(*options: str) -> list[str]:
    """Return the command of a server without limits of rates, on a free port."""
    limits = [f"{name}_{kind}=1000000" for name in _UNLIMITED for kind in ("per_second", "burst")]
    shown = [word for limit in limits for word in ("--limit", limit)]
    command = (sys.executable, "-m", "nsroom", "serve", "--port", "0", "--ping-interval", "600")
    return [*command, *shown, *options]


class Room:
    """A room with all members: one sends, one polls, and one is excluded from relayed events."""

    def __init__(self, served: Served, size: int) -> None:
        self._served = served
        self._size = size
        self._crowd = Crowd(served.urls)
        self._members = self._crowd.connect(size - 1)
        self._talker, self._quiet, *self._others = self._members
        self._crowd.ask(self._members, '420["join","room"]', b'430[{"ok":true')
        self._crowd.ask([self._quiet], '421["join","quiet"]', b'431[{"ok":true')
        self._poller = Poller(served.urls[-1])
        for packet, answer in (("40", "40"), ('420["join","room"]', "430")):
            self._poller.send(packet)
            self._poller.wait(answer)
        # Over Redis, the last announcement may arrive after the answer to the client itself.
        self._crowd.settle()

    def cost(self, event: str, count: int, window: int) -> Spent:
        """Return the cost of a delivery to the servers, over `count` messages."""
        self._begin()
        left_out = [self._quiet] if event == "emit" else []
        listeners = [each for each in self._members[1:] if each not in left_out]
        self._crowd.compare(listeners)
        before, system = self._served.cpu, self._served.system
        self._crowd.talk(self._talker, [_packet(event, number) for number in range(count)], window)
        heard = [frame for frame in frames(self._talker.data) if text(frame).startswith("42")]
        self._crowd.read_while(lambda: any(each.at != sum(map(len, heard)) for each in listeners))
        polled = [packet for packet in self._poller.gather(count) if packet.startswith("42")]
        spent = self._served.cpu - before, self._served.system - system
        assert b"".join(heard) == self._crowd.stream, "the sender received something else"
        assert polled == [text(frame) for frame in heard], "the member that polls received something else"
        assert not any(each.data for each in left_out), "a member that is left out received something"
        _check_order(polled, count)
        return Spent(*(each * 1e6 / count / (self._size - len(left_out)) for each in spent))

    def _begin(self) -> None:
        """Mark the start of a round in the stream of every member."""
        self._crowd.expect(self._members, b'42["start"]')
        self._talker.send('42["emit",{"event":"start","args":[],"to":"room"}]')
        self._crowd.read_while_expected()
        self._poller.wait('42["start"]')


def _packet(event: str, number: int) -> str:
    body = {"room": "room", "text": f"{number:06} {_TEXT}"}
    if event == "emit":
        body = {"event": "said", "args": [body["text"]], "to": "room", "except": "quiet"}
    return f"42{number}{json.dumps([event, body], separators=(',', ':'))}"


def _check_order(packets: Sequence[str], count: int) -> None:
    assert len(packets) == count, f"{len(packets)} of {count} messages came"
    for number, packet in enumerate(packets):
        assert f'"{number:06} {_TEXT}"' in packet, packet


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


def _alone(start: Start, measure: Callable[[Served], T]) -> T:
    """Measure fresh servers after a warm-up."""
    with start() as served:
        connect(served)
        return measure(served)


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


def fan_out(starts: dict[str, Start], cases: dict[str, tuple[str, str]], size: int, given: "Given") -> None:
    """Print the cost of a delivery in a room of this size; the servers take turns."""
    count = max(3, min(_MOST, _DELIVERIES // size))
    with contextlib.ExitStack() as stack:
        rooms = {name: Room(stack.enter_context(start()), size) for name, start in starts.items()}
        head(f"{size} members, CPU")
        for window in given.windows:
            for label, (ours, event) in cases.items():
                rivals = [rooms[ours], rooms["node"]]
                turns = [
                    [room.cost(event, count, window) for room in rivals] for _ in range(given.rounds + 1)
                ]
                costs = list(zip(*turns[1:], strict=True))
                row(
                    f"{label}, {window} in flight",
                    *(statistics.median(c.cpu for c in each) for each in costs),
                    "µs",
                )
                # It advances in steps of 10 ms, which a median would not even out.
                row(
                    "  of it the system's", *(statistics.mean(c.system for c in each) for each in costs), "µs"
                )


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments."""

    sizes: Sequence[int]
    rounds: int
    windows: Sequence[int]


def alone(node: str, env: dict[str, str], given: Given) -> None:
    """Print the tables of one server."""
    with tempfile.TemporaryDirectory() as folder:
        starts: dict[str, Start] = {
            "node": lambda: serving((node, script("room")), env),
            "forgetful": lambda: serving(serve_command("--history", "none"), env),
            "lasting": lambda: serving(serve_command("--history", f"{folder}/history.db"), env),
        }
        cases = {
            "emit": ("forgetful", "emit"),
            "message": ("forgetful", "message"),
            "stored": ("lasting", "message"),
        }
        head("a connection")
        rivals = ("forgetful", "node")
        row(
            "CPU per connect, namespace empty",
            *(_alone(starts[each], connect) * 1e6 for each in rivals),
            "µs",
        )
        (ours, our_memory), (theirs, their_memory) = (_alone(starts[each], grow) for each in rivals)
        row(f"CPU per connect, {_IDLE:,} in one namespace", ours * 1e6, theirs * 1e6, "µs")
        row("memory", our_memory, their_memory, "KiB")
        for size in given.sizes:
            fan_out(starts, cases, size, given)


async def over_redis(node: str, env: dict[str, str], given: Given) -> None:
    """Print the tables of two servers over Redis."""
    with tempfile.TemporaryDirectory() as folder:
        modules = install_into(Path(folder) / "node", Path(node), *_ADAPTER)
        env = {**env, "NODE_PATH": f"{modules}{os.pathsep}{env['NODE_PATH']}"}
        for size in given.sizes:
            # A separate Valkey for each size: a shared one would still list the members of stopped servers.
            (data := Path(folder) / f"valkey-{size}").mkdir()
            async with valkey(data) as bus:
                starts = _rivals(node, env, bus.url)
                fan_out(starts, {each: ("nsroom", each) for each in ("emit", "message")}, size, given)


def _rivals(node: str, env: dict[str, str], url: str) -> dict[str, Start]:
    return {
        "node": lambda: serving((node, script("room"), url), env, 2),
        "nsroom": lambda: serving(serve_command("--redis", url, "--history", "none"), env, 2),
    }


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
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    node = find_node()
    env = {**os.environ, "NODE_PATH": str(install(node))}
    given = Given(options.members, options.rounds, options.windows)
    if options.redis:
        asyncio.run(over_redis(str(node), env, given))
    else:
        alone(str(node), env, given)


if __name__ == "__main__":
    main()
