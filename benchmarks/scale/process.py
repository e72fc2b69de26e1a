"""The processes that are measured."""

import os
import resource
from collections.abc import Callable

from benchmarks.fanout import Served
from benchmarks.scale.subject import Spent


def spend(served: Served, action: Callable[[], object]) -> Spent:
    """Do something and return what it cost the server, after the server is idle again."""
    served.rest()
    cpu, memory = served.cpu, served.memory
    action()
    served.rest()
    return Spent(served.cpu - cpu, max(0.0, served.memory - memory))


def raise_descriptor_limit() -> int:
    """Let this process and its children open as many files as allowed, and return the number."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def environment() -> dict[str, str]:
    """Return the environment of the measured processes: without the user's options."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NSROOM_")}
