"""What each job costs, beside a Node script that does it: `python -m benchmarks.jobs`."""

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import HERE, NSROOM, head, listening, measure, row, script
from benchmarks.machine import print_machine
from benchmarks.peers import node_version
from tests.peers.node import find_node, install

_TEXT = "x" * 100
_LINE, _FRAME = '["msg",{"text":"%s"},%d]\n', '42["msg",{"text":"%s"},%d]\n'

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Job:
    """A job, the arguments of both programs for `count` events of a server, and its lines of stdin if any."""

    name: str
    ours: Callable[[str, int], Command]
    theirs: Callable[[str, int], Command]
    server: tuple[str, str] = ("small", "json")
    """The kind and the encoding of the events that the server sends."""
    line: str = ""
    share: int = 1
    """The part of all events that is enough: one of so many."""


def _watch(
    name: str,
    *options: str,
    transport: str = "websocket",
    kind: str = "small",
    encoding: str = "json",
    share: int = 1,
) -> Job:
    shown = options or ("--json",)
    parser = ("--parser", "msgpack") if encoding == "msgpack" else ()
    return Job(
        name,
        lambda url, count: (
            *("connect", "-q", "-u", url, *shown, "-C", str(count), "-W", "120"),
            *("--transport", transport, *parser),
        ),
        lambda url, count: ("watch", str(count), transport, encoding, url),
        (kind, encoding),
        share=share,
    )


JOBS = (
    Job("emit -", lambda url, _: ("emit", "-", "-u", url), lambda url, _: ("emit", url), line=_LINE),
    Job(
        "emit - --ack",
        lambda url, _: ("emit", "-", "--ack", "-u", url),
        lambda url, _: ("ack", url),
        line=_LINE,
    ),
    Job("decode", lambda *_: ("decode",), lambda *_: ("decode",), line=_FRAME),
    _watch("connect"),
    _watch("connect --plain", "--plain"),
    _watch("connect, polling", transport="polling"),
    _watch("connect, binary of 100 bytes", kind="binary", share=2),
    _watch("connect, msgpack", encoding="msgpack", share=2),
    _watch("connect, deflate", encoding="deflate", share=5),
    _watch("connect, 10 kB", kind="large", share=50),
)


class Bench:
    """Runs the programs of one comparison in turn."""

    def __init__(self, node: str, env: dict[str, str], runs: int, count: int) -> None:
        self._node = node
        self._env = env
        self._runs = runs
        self._count = count

    def compare(self, job: Job) -> None:
        """Print the CPU time of an event, for nsroom and for the script."""
        count = self._count // job.share
        with ExitStack() as stack:
            url = self._serve(stack, 0 if job.line else count, *job.server)
            lines = stack.enter_context(tempfile.NamedTemporaryFile("w"))
            lines.writelines(job.line % (_TEXT, number) for number in range(count) if job.line)
            lines.flush()
            ours, theirs = (
                (NSROOM, *job.ours(url, count)),
                (self._node, script("jobs"), *job.theirs(url, count)),
            )
            self._print(job.name, ours, theirs, lines.name, count, prints=job.line in ("", _FRAME))

    def replay(self) -> None:
        """Compare sending a recording with sending lines, both with nsroom."""
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            recording, lines = Path(folder) / "recording", Path(folder) / "lines"
            lines.write_text("".join(_LINE % (_TEXT, number) for number in range(self._count)))
            url, flood = self._serve(stack, 0), self._serve(stack, self._count)
            save = (NSROOM, "connect", "-q", "-u", flood, "-C", str(self._count), "--save", str(recording))
            subprocess.run(save, env=self._env, stdout=subprocess.DEVNULL, check=True)
            ours = (NSROOM, "replay", "-q", str(recording), "--direction", "in", "--speed", "0", "-u", url)
            theirs = (NSROOM, "emit", "-", "-u", url)
            self._print(
                "replay --speed 0, beside emit -", ours, theirs, str(lines), self._count, prints=False
            )

    def tail(self) -> None:
        """Compare watching a server from inside with a script that is sent the same events."""
        with ExitStack() as stack:
            watched, plain = (
                stack.enter_context(listening(self._node, "flood.js", str(self._count), *how, env=self._env))
                for how in (("admin",), ())
            )
            ours = (NSROOM, "tail", "-q", "-u", watched, "-C", str(self._count))
            theirs = (self._node, script("jobs"), "watch", str(self._count), "websocket", "json", plain)
            self._print("tail", ours, theirs, os.devnull, self._count, prints=True)

    def _serve(self, stack: ExitStack, count: int, kind: str = "small", encoding: str = "json") -> str:
        server = str(HERE / "jobs-server.cjs"), str(count), kind, encoding
        return stack.enter_context(listening(self._node, *server, env=self._env))

    def _print(
        self, name: str, ours: Command, theirs: Command, stdin: str, count: int, *, prints: bool
    ) -> None:
        expected = count if prints else 0
        pairs = [
            [self._cost(command, stdin, expected) for command in (ours, theirs)] for _ in range(self._runs)
        ]
        row(name, *(statistics.median(each) / count * 1e6 for each in zip(*pairs, strict=True)), unit="µs")

    def _cost(self, command: Command, stdin: str, expected: int) -> float:
        """Return the CPU time of a run. Raises: AssertionError if a line is missing."""
        with open(stdin, "rb") as source, tempfile.TemporaryFile() as out:
            cost = measure(command, self._env, out.fileno(), source.fileno())
            out.seek(0)
            assert sum(1 for _ in out) == expected, f"{command} lost events"
        return cost.cpu


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("jobs", nargs="*", help="only the jobs with one of these words in their name")
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs (default: 5)")
    parser.add_argument("--events", type=int, default=100_000, help="events of a run (default: 100000)")
    options = parser.parse_args()
    node = str(find_node())
    bench = Bench(node, {**os.environ, "NODE_PATH": str(install(Path(node)))}, options.runs, options.events)
    print_machine(node=node_version(Path(node)))
    head(f"CPU per event, median of {options.runs}")
    for job in JOBS:
        if not options.jobs or any(word in job.name for word in options.jobs):
            bench.compare(job)
    for special in (bench.replay, bench.tail):
        if not options.jobs or any(word in special.__name__ for word in options.jobs):
            special()


if __name__ == "__main__":
    main()
