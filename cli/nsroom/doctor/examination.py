"""The examination of one server: what to check, and the results of probes, each run at most once."""

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
class Extras:
    """What to check besides the connection."""

    origin: str | None = None
    """The origin of a web page that connects to the server."""
    event: str | None = None
    """An event to emit and expect an acknowledgement for."""
    args: tuple[Json, ...] = ()
    """The arguments of that event."""
    soak: float = 0.0
    """Seconds to keep an idle connection open."""
    is_path_in_url: bool = False
    """Whether the URL has the HTTP path, where clients have the namespace."""


@dataclass(slots=True)
class Examination:
    """The target, what to check, and the probes started so far."""

    target: Target
    extras: Extras
    http: HttpClient
    probes: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)
    """Tasks by the name of their probe."""

    @property
    def uses_polling(self) -> bool:
        """Whether the clients use polling."""
        return self.target.transport is not Transport.WEBSOCKET

    @property
    def uses_websocket(self) -> bool:
        """Whether the clients use WebSocket."""
        return self.target.transport is not Transport.POLLING

    def timeout(self, seconds: float) -> float:
        """Return the seconds to wait for an answer, at most --connect-timeout."""
        return min(seconds, self.target.connect_timeout)

    async def close(self) -> None:
        """Cancel the probes that are still running."""
        for task in self.probes.values():
            task.cancel()
        await asyncio.gather(*self.probes.values(), return_exceptions=True)


Probe = Callable[[Examination], Awaitable[T]]


def once(probe: Probe[T]) -> Probe[T]:
    """Run a probe at most once in an examination; every caller gets the same result."""

    @wraps(probe)
    async def shared(examination: Examination) -> T:
        name = f"{probe.__module__}.{probe.__name__}"
        task = examination.probes.get(name)
        if task is None:
            task = examination.probes[name] = asyncio.ensure_future(_run(probe, examination))
        # Shielded: when one caller times out, the others still wait for the result.
        result: T = await asyncio.shield(task)
        return result

    return shared


async def _run(probe: Probe[T], examination: Examination) -> T:
    return await probe(examination)
