"""How far a load run is: one line on stderr, written over again and again, on a terminal only."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from nsroom.client.client import Client
from nsroom.client.delivery import Delivery
from nsroom.client.events import Line
from nsroom.client.flow_control import Tally
from nsroom.client.target import Target
from nsroom.output.stdio import say
from nsroom.output.terminal import clip
from nsroom.record import Record

_WIPE = "\r\x1b[K"


class Progress:
    """The line."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._began = 0.0
        self._name, self._of = "", ""

    def begin(self, name: str, seconds: float | None = None) -> None:
        """Start with a step, which takes so long, if that is known."""
        self._began = time.monotonic()
        self._name, self._of = name, f" of {seconds:g}" if seconds else ""
        self(0, 0)

    def __call__(self, answered: int, errors: int) -> None:
        """Show how many answers and errors there were so far."""
        taken = time.monotonic() - self._began
        text = f"nsroom: {self._name}  {taken:.1f}{self._of} s  {answered:,} answered"
        if taken > 1:
            text += f"  {answered / taken:,.0f}/s"
        self._write(f"{text}  {errors:,} errors" if errors else text)

    def end(self) -> None:
        """Take it away."""
        if self._on:
            sys.stderr.write(_WIPE)
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        if self._on:
            sys.stderr.write(_WIPE + clip(text, os.get_terminal_size(sys.stderr.fileno()).columns - 1))
            sys.stderr.flush()


async def run_delivery(
    target: Target,
    lines: AsyncIterator[list[Line]],
    *,
    timeout: float,
    ack: bool = False,
    on_ack: Callable[[Record], None] | None = None,
    summary: bool = False,
    begin: Callable[[Client], Awaitable[None]] | None = None,
) -> None:
    """Connect, do what `begin` says, deliver, disconnect; then print the summary on stderr.

    On the way the progress is shown there. Raises: as `Client.connect`, `begin` and `Delivery.run`.
    """
    client = Client(target, note=say)
    delivery = Delivery(client, ack=ack, timeout=timeout, on_ack=on_ack)
    try:
        await client.connect()
        if begin is not None:
            await begin(client)
        with _progress(delivery.tally):
            await client.guard(delivery.run(lines))
    finally:
        await client.close()
        if summary:
            sys.stderr.write(json.dumps(delivery.tally.to_json()) + "\n")


@contextlib.contextmanager
def _progress(tally: Tally) -> Iterator[None]:
    """Show the counts on a terminal while the delivery takes more than a moment."""
    if not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_show_progress(tally))
    try:
        yield
    finally:
        task.cancel()
        if tally.read > 1:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


async def _show_progress(tally: Tally) -> None:
    while True:
        await asyncio.sleep(0.2)
        if tally.read > 1:
            sys.stderr.write(
                f"\rnsroom: {tally.sent:,} sent, {tally.acked + tally.nacked:,} acknowledged\x1b[K"
            )
            sys.stderr.flush()
