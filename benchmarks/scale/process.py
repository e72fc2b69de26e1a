"""The processes that are measured."""

import os
from collections.abc import Callable

from benchmarks.scale.subject import Spent
from benchmarks.serving import Served


def spend(served: Served, action: Callable[[], object]) -> Spent:
    """Do something and return what it cost the server, after the server is idle again."""
    served.rest()
    cpu, memory = served.cpu, served.memory
    action()
    served.rest()
    return Spent(served.cpu - cpu, max(0.0, served.memory - memory))


def environment() -> dict[str, str]:
    """Return the environment of the measured processes: without the user's options."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NSROOM_")}
