"""One worker process that runs scenarios: `python -m nsroom.bench.script.worker`."""

import asyncio
import contextlib
from typing import Any

from nsroom.bench.script.plan import from_json
from nsroom.bench.script.runs import Runs
from nsroom.bench.worker import main
from nsroom.cli.run import EventLoop


def make_runs(value: dict[str, Any]) -> Runs:
    """Return the groups of a plan, not started yet. Raises: UsageError if the scenario was changed."""
    plan = from_json(value)
    return Runs(plan, plan.script())


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError), asyncio.Runner(loop_factory=EventLoop) as runner:
        runner.run(main(make_runs))
