"""The state of one run of doctor: the target, the options, and the results of its probes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from nsroom.client.target import Target, Transport
from nsroom.doctor.probes.http import HttpClient
from nsroom.record import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What to check in addition to the connection."""

    origin: str | None = None
    """The origin of a web page that connects from a browser."""
    event: str | None = None
    """An event to emit, expecting an acknowledgement."""
    args: tuple[Json, ...] = ()
    """The event's arguments."""
    soak: float = 0.0
    """Seconds to hold an idle connection."""


@dataclass(slots=True)
class Examination:
    """A target, the options, and the probes that have been started."""

    target: Target
    options: Options
    http: HttpClient
    probes: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)

    @property
    def uses_polling(self) -> bool:
        """Whether --transport lets clients use polling."""
        return self.target.transport is not Transport.WEBSOCKET

    @property
    def uses_websocket(self) -> bool:
        """Whether --transport lets clients use WebSocket."""
        return self.target.transport is not Transport.POLLING

    def timeout(self, seconds: float) -> float:
        """Return how long to wait for an answer: `seconds`, but at most --connect-timeout."""
        return min(seconds, self.target.connect_timeout)

    async def close(self) -> None:
        """Cancel the probes that are still running."""
        for task in self.probes.values():
            task.cancel()
        await asyncio.gather(*self.probes.values(), return_exceptions=True)


Probe = Callable[[Examination], Awaitable[T]]


def once(probe: Probe[T]) -> Probe[T]:
    """Run a probe at most once per examination, and return the same result to every caller."""

    @wraps(probe)
    async def shared(examination: Examination) -> T:
        name = f"{probe.__module__}.{probe.__name__}"
        task = examination.probes.get(name)
        if task is None:
            task = examination.probes[name] = asyncio.ensure_future(_run(probe, examination))
        # Shielded: when one caller times out, the others still wait for the probe.
        result: T = await asyncio.shield(task)
        return result

    return shared


async def _run(probe: Probe[T], examination: Examination) -> T:
    return await probe(examination)
