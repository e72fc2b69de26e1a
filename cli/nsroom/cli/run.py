"""Run a command's coroutine: the first signal cancels it, the second exits at once."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from nsroom.cli import watchdog
from nsroom.client.name_resolution import place_of
from nsroom.errors import Stopped

T = TypeVar("T")

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class EventLoop(asyncio.SelectorEventLoop):
    """The event loop of every command. Not Windows' default loop, which has no `add_reader`."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Look a name up, unless --resolve has its address."""
        return await super().getaddrinfo(place_of(host, port), port, **options)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end; the first signal cancels it, the second exits without cleaning up.

    Raises: Stopped after the first signal, once `main` has cleaned up.
    """
    try:
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            try:
                return runner.run(_until_signal(main))
            finally:
                watchdog.disarm()
    finally:
        main.close()  # never started if no descriptor is free for a loop


async def _until_signal(main: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = loop.create_task(main)
    caught: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if caught:
            watchdog.end(128 + number)
        caught.append(number)
        watchdog.arm(loop, 128 + number)
        loop.call_soon_threadsafe(task.cancel)

    watchdog.terminal_mode()
    # Not the loop's own handlers, which wait until the loop runs.
    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        result = await task
    except asyncio.CancelledError:
        if not caught:
            raise
    if caught:
        raise Stopped(caught[0])
    return result
