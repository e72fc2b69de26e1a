"""Break things under load, and check what everyone was told and saw: `python -m benchmarks.cuts`.

`join --save` listens behind a relay while 200 messages a second are stored from each server. One server keeps
its messages in a file, two of them in Redis; with `--mixed REVISION` the second one is of that git revision.
It ends with an error if the promise of `tests.peers.history_model` is broken.
"""

import argparse
import asyncio
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tests.conftest import NSROOM
from tests.peers.clock import COMPILER, WallClock
from tests.peers.cuts import Trial
from tests.peers.history_model import Gap, broken
from tests.peers.program import clean_environment, spawner
from tests.peers.valkey_server import valkey

Faults = dict[str, Callable[[], Awaitable[None]]]

ONE = {
    "mixed": ["stop", "reset", "kill", "jump", "remove"],
    "kills": ["kill"],
    "resets": ["reset"],
}
SEVERAL = {"cluster": ["stop", "reset", "kill", "jump", "redis", "pause", "flush", "clients"]}


def faults_of(trial: Trial, stop: float, chance: random.Random, servers: int) -> Faults:
    """Return the faults by name."""
    return {
        "reset": trial.reset,
        "kill": lambda: trial.kill(chance.randrange(servers)),
        "stop": lambda: trial.stop(stop, chance.randrange(servers)),
        "jump": lambda: trial.jump(chance.choice([-1000, -100, 100, 1000])),
        "remove": lambda: trial.remove_file(chance.choice([None, b"", b"garbage"])),
        "redis": trial.kill_redis,
        "pause": lambda: trial.pause_redis(stop),
        "flush": lambda: trial.command_redis("SCRIPT", "FLUSH"),
        "clients": lambda: trial.command_redis("CLIENT", "KILL", "SKIPME", "yes"),
    }


async def run(
    transport: str, names: list[str], stop: float, chance: random.Random, sources: list[str] | None
) -> tuple[list[str], str]:
    """Make the faults one by one, with pauses between them; return what is broken, and the figures.

    `sources` are the paths of each server's sources, "" for these here; None is one server with a file.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        spawn = await stack.enter_async_context(spawner(NSROOM, clean_environment(folder), folder))
        clock = WallClock(folder) if COMPILER else None
        redis = None
        if sources:
            (folder / "valkey").mkdir()
            redis = await stack.enter_async_context(
                valkey(folder / "valkey", env=clock.variables if clock else None)
            )
        variables = tuple({"PYTHONPATH": path} if path else {} for path in sources or [""])
        trial = Trial(spawn, folder, transport, redis, variables, clock)
        faults = faults_of(trial, stop, chance, len(variables))
        async with trial.going_on():
            for name in names:
                await asyncio.sleep(chance.uniform(0.05, 1.0))
                await faults[name]()
        history = await trial.history()
        gaps = [item.reason for item in trial.recorded if isinstance(item, Gap)]
        figures = (
            f"{trial.acknowledged:>7} acknowledged{len(history.stored):>7} stored"
            f"{trial.replayed:>6} replayed{len(history.sent):>4} connections  {' '.join(gaps)}"
        )
        return broken(history), figures


@contextlib.contextmanager
def revision(name: str | None) -> Iterator[str]:
    """Return the path of the sources of a git revision, or "" for the current ones."""
    if not name:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(("git", "archive", name, "cli", "server"), check=True, capture_output=True)
        subprocess.run(("tar", "-x", "-C", folder), input=archive.stdout, check=True)
        yield f"{folder}/cli:{folder}/server"


def main() -> None:
    """Run every kind of trial over both transports, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuts", description=__doc__)
    parser.add_argument("trials", nargs="*", default=[*ONE, *SEVERAL], help="mixed, kills, resets, cluster")
    parser.add_argument("--cuts", type=int, default=20, help="of each trial (default: 20)")
    parser.add_argument("--stop", type=float, default=10.0, help="seconds of each stop (default: 10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mixed", metavar="REVISION", help="of the second server of a cluster")
    parser.add_argument("--without", metavar="FAULT", action="append", default=[], help="for example: jump")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    wrong = False
    with revision(options.mixed) as other:
        for trial in options.trials:
            left_out = {*options.without, *(() if COMPILER else ("jump",))}
            kinds = [kind for kind in {**ONE, **SEVERAL}[trial] if kind not in left_out]
            sources = ["", other] if trial in SEVERAL else None
            for transport in ("websocket", "polling"):
                names = [*kinds, *chance.choices(kinds, k=options.cuts)][: options.cuts]
                begun = time.monotonic()
                faults, figures = asyncio.run(run(transport, names, options.stop, chance, sources))
                wrong |= bool(faults)
                taken = time.monotonic() - begun
                sys.stdout.write(f"{trial:<8}{transport:<10}{len(names):>3} faults{figures}{taken:>6.0f} s\n")
                sys.stdout.writelines(f"  {fault}\n" for fault in faults[:20])
                sys.stdout.flush()
    sys.exit(wrong)


if __name__ == "__main__":
    main()
