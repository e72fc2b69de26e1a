"""Deliver events from connecting to disconnecting, with progress and a summary on stderr."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from nsroom.cli.progress import showing
from nsroom.client.client import Client
from nsroom.client.delivery import Delivery
from nsroom.client.events import Line
from nsroom.client.flow_control import Tally
from nsroom.client.target import Target
from nsroom.errors import NsroomError
from nsroom.output.stdio import detail, say
from nsroom.record import Record


async def run_delivery(
    target: Target,
    lines: AsyncIterator[list[Line]],
    *,
    timeout: float,
    ack: bool = False,
    on_ack: Callable[[Record], None] | None = None,
    summary: bool = False,
    begin: Callable[[Client], Awaitable[None]] | None = None,
    on_records: Callable[[Sequence[Record]], None] | None = None,
) -> None:
    """Connect, call `begin`, deliver the lines, and disconnect; then print the summary if asked to.

    `on_records` is called with what was sent and received, to the end of the connection.

    Raises: the errors of `Client.connect`, `begin` and `Delivery.run`.
    """
    client = Client(target, watch=on_records is not None, say=detail, note=say)
    reading = asyncio.create_task(_read(client, on_records)) if on_records else None
    delivery = Delivery(client, ack=ack, timeout=timeout, on_ack=on_ack)
    try:
        await client.connect()
        if begin is not None:
            await begin(client)
        async with showing(lambda: _progress(delivery.tally)):
            await client.guard(delivery.run(lines))
    finally:
        await client.close()
        if reading is not None:
            await reading
        if summary:
            sys.stderr.write(json.dumps(delivery.tally.to_json()) + "\n")


async def _read(client: Client, on_records: Callable[[Sequence[Record]], None]) -> None:
    with contextlib.suppress(NsroomError):  # why the client gave up, which ends the delivery too
        async for records in client.records():
            on_records(records)


def _progress(tally: Tally) -> str:
    """Return the counts, or nothing for a single event."""
    return f"{tally.sent:,} sent, {tally.acked + tally.nacked:,} acknowledged" if tally.read > 1 else ""
