"""One examination of one server: what is asked for, and what its probes have learned, each at most once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from nsroom.client.target import Target, Transport
from nsroom.doctor.probes.http import Exchange
from nsroom.record import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to look at beyond the connection."""

    origin: str | None = None
    """The origin of the web page whose browser is to connect."""
    event: str | None = None
    """An event to have acknowledged, …"""
    args: tuple[Json, ...] = ()
    """… with these arguments."""
    soak: float = 0.0
    """Seconds to hold an idle connection."""


@dataclass(slots=True)
class Examination:
    """A target, the wishes, and the probes that run or ran."""

    target: Target
    wishes: Wishes
    exchange: Exchange
    asked: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)

    @property
    def polls(self) -> bool:
        """Whether the clients in question use polling."""
        return self.target.transport is not Transport.WEBSOCKET

    @property
    def uses_websocket(self) -> bool:
        """Whether the clients in question use WebSocket."""
        return self.target.transport is not Transport.POLLING

    def patience(self, seconds: float) -> float:
        """Give the seconds to wait for an answer: no more than --connect-timeout."""
        return min(seconds, self.target.connect_timeout)

    async def close(self) -> None:
        """End the probes that still run."""
        for task in self.asked.values():
            task.cancel()
        await asyncio.gather(*self.asked.values(), return_exceptions=True)


Probe = Callable[[Examination], Awaitable[T]]


def once(probe: Probe[T]) -> Probe[T]:
    """Run a probe at most once in an examination, and give everyone its answer."""

    @wraps(probe)
    async def asked(examination: Examination) -> T:
        name = f"{probe.__module__}.{probe.__name__}"
        task = examination.asked.get(name)
        if task is None:
            task = examination.asked[name] = asyncio.ensure_future(_run(probe, examination))
        # Who asked may run out of time: the others still wait.
        answer: T = await asyncio.shield(task)
        return answer

    return asked


async def _run(probe: Probe[T], examination: Examination) -> T:
    return await probe(examination)
