"""Cut and kill under load, and count what is lost: `python -m benchmarks.cuts`.

`join --save` listens behind a relay while 200 messages a second are stored. The cuts are resets of its
connections, `kill -9` of the server, and stops of it. It ends with an error if an acknowledged message is
not stored, or not recorded, or recorded twice.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import LISTENING, NSROOM
from tests.peers.cuts import Outcome, Trial
from tests.peers.program import Server, Spawner, clean_environment, spawner


async def serve(spawn: Spawner, *args: str, history: Path) -> Server:
    """Start a server on a free port."""
    program = await spawn("serve", "--port", "0", "--history", str(history), *args)
    found = LISTENING.search(await program.err("nsroom: listening on ", timeout=60))
    assert found
    return Server(found[1], program)


async def run(transport: str, cuts: list[str], stop: float, chance: random.Random) -> Outcome:
    """Make the cuts one by one, with pauses between them."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        spawn = await stack.enter_async_context(spawner(NSROOM, clean_environment(folder), folder))
        trial = Trial(spawn, lambda *args, **options: serve(spawn, *args, **options), folder, transport)
        async with trial.going_on():
            for cut in cuts:
                await asyncio.sleep(chance.uniform(0.05, 1.0))
                await {"reset": trial.reset, "kill": trial.kill, "stop": lambda: trial.stop(stop)}[cut]()
        trial.check_stored()
        return trial.outcome


def main() -> None:
    """Run every kind of trial over both transports, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=20, help="of each trial (default: 20)")
    parser.add_argument("--stop", type=float, default=10.0, help="seconds of each stop (default: 10)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    trials = {
        "mixed": ["stop", *chance.choices(["reset", "kill"], k=options.cuts - 1)],
        "kills": ["kill"] * options.cuts,
        "resets": ["reset"] * options.cuts,
    }
    wrong = False
    for name, cuts in trials.items():
        for transport in ("websocket", "polling"):
            begun = time.monotonic()
            outcome = asyncio.run(run(transport, cuts, options.stop, chance))
            faults = ["out of order"] * outcome.unordered + [
                f"unknown: {why}" for why in outcome.unknown if why
            ]
            wrong |= bool(outcome.lost or outcome.doubled or faults)
            sys.stdout.write(
                f"{name:<8}{transport:<10}{len(cuts):>3} cuts{outcome.acknowledged:>7} acknowledged"
                f"{len(outcome.lost):>4} lost{len(outcome.doubled):>4} doubled"
                f"{outcome.replayed:>6} replayed{time.monotonic() - begun:>6.0f} s  {', '.join(faults)}\n"
            )
            sys.stdout.flush()
    sys.exit(wrong)


if __name__ == "__main__":
    main()
