"""Servers that are measured: their processes, and what they cost. Linux only."""

import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crowd import PATIENCE

_UNLIMITED = ("events", "address_events", "address_connects")
_LISTENING = re.compile(r"listening on (\S+)")


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


Start = Callable[[], contextlib.AbstractContextManager[Served]]


@contextlib.contextmanager
def serving(command: Sequence[str], env: Mapping[str, str], count: int = 1) -> Iterator[Served]:
    """Start servers that print their URL."""
    with contextlib.ExitStack() as stack:
        urls, pids = [], []
        for _ in range(count):
            log = stack.enter_context(tempfile.NamedTemporaryFile())
            process = stack.enter_context(subprocess.Popen(command, env=env, stdout=log, stderr=log))
            stack.callback(process.kill)
            urls.append(_url(process, Path(log.name)))
            pids.append(process.pid)
        yield Served(urls, pids)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := _LISTENING.search(log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[1]


def serve_command(*options: str) -> list[str]:
    """Return the command of a server without limits of rates, on a free port."""
    limits = [f"{name}_{kind}=1000000" for name in _UNLIMITED for kind in ("per_second", "burst")]
    shown = [word for limit in limits for word in ("--limit", limit)]
    command = (sys.executable, "-m", "nsroom", "serve", "--port", "0", "--ping-interval", "600")
    return [*command, *shown, *options]


def raise_descriptor_limit() -> int:
    """Let this process and its children open as many files as allowed, and return the number."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
