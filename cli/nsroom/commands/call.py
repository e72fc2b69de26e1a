"""`nsroom call`: emit an event and print its acknowledgement."""

import sys
from json import dumps
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.declarations import Argument, Option
from nsroom.cli.event_options import EmitOptions
from nsroom.errors import NackError, UsageError, WaitError
from nsroom.output.stdio import detail, put, say

if TYPE_CHECKING:
    from nsroom.client.client import Client
    from nsroom.client.events import Emit
    from nsroom.client.target import Target
    from nsroom.filters import Filter
    from nsroom.record import Record


_MAX_RECEIVED = 3
_MAX_NAME, _MAX_VALUE = 40, 120
"""Characters of an event's name and of a value in a message."""


def call(
    *,
    target: LeadingTarget = "",
    event: Annotated[str, Argument(metavar="EVENT", help="The event's name.")],
    args: Annotated[list[str] | None, Argument(metavar="[ARG]...", show_default=False)] = None,
    connection: ConnectionOptions,
    options: EmitOptions,
    fail: Annotated[
        str | None,
        Option(
            "--fail", metavar="EXPR", help="Answers that are errors (code 7), e.g. arg.0.statusCode>=400."
        ),
    ] = None,
    error_first: Annotated[
        bool, Option("--error-first", help="An answer is an error unless its first argument is null.")
    ] = False,
    json: Annotated[bool, Option("--json", help="Print the record of the acknowledgement.")] = False,
) -> None:
    """Emit an event and print the server's acknowledgement.

    Prints the answer as JSON: one argument as it is, several as an array; with --json the record of the
    acknowledgement. Exits with 7 if the answer is an error.

    \b
    Examples:
      nsroom call rooms
      nsroom call who room=lobby | jq .members
      nsroom call order id:=7 --timeout 30
      nsroom call login ann --fail 'arg.0.ok=false' || echo refused
    """
    from nsroom.cli.run import run
    from nsroom.client.presets import find
    from nsroom.record import brief

    server = connection.target(target)._replace(reconnect=False)
    preset = find(connection.preset)
    is_error = _error_test(fail or preset.fail)
    record = run(_call(server, options.emit(event, args or [], server.namespaces[0]), options))
    put(_as_record(record) if json else _as_text(record))
    _raise_if_refused(record)
    if (error_first or preset.error_first) and record.args and record.args[0] is not None:
        raise NackError(f"the server answered with an error: {brief(record.args[0], _MAX_VALUE)}")
    if is_error is not None and is_error(record):
        raise NackError(f"the answer matches {is_error.text}: {brief(record.args or [], _MAX_VALUE)}")


def _error_test(expression: str | None) -> "Filter | None":
    """Return the filter of --fail. Raises: UsageError."""
    if not expression:
        return None
    from nsroom.filters import FilterError, parse

    try:
        return parse(expression)
    except FilterError as error:
        raise UsageError(f"--fail{str(error).removeprefix('--where')}") from None


async def _call(target: "Target", emit: "Emit", options: EmitOptions) -> "Record":
    import asyncio

    from nsroom.cli.watchdog import limit
    from nsroom.client.client import Client

    client = Client(target, watch=True, say=detail, note=say)
    late = f"no acknowledgement of {emit.event!r} within {options.timeout:g} s"
    received = _Received()
    reading = asyncio.create_task(received.read(client))
    try:
        await client.connect()
        with limit(options.timeout, WaitError(late)):
            return await client.guard(_ask(client, emit, options, received))
    except TimeoutError:
        cause = client.hint or "; does the server handle it?"
        raise WaitError(f"{late}{cause}{received}") from None
    finally:
        await client.close()
        await asyncio.gather(reading, return_exceptions=True)


async def _ask(client: "Client", emit: "Emit", options: EmitOptions, received: "_Received") -> "Record":
    import asyncio

    from nsroom.channel import now

    await options.enter(client)
    received.since = now()
    (answer,) = await client.ask(emit)
    async with asyncio.timeout(options.timeout):
        return await answer


class _Received:
    """The events received while waiting for the answer: their number, and the first few."""

    def __init__(self) -> None:
        self.since = sys.maxsize
        """The time of the request, in microseconds."""
        self.count = 0
        self.first: list[Record] = []

    async def read(self, client: "Client") -> None:
        """Read the client's records to their end."""
        from nsroom.record import is_received

        async for records in client.records():
            events = [record for record in records if is_received(record) and record.time >= self.since]
            self.count += len(events)
            self.first += events[: _MAX_RECEIVED - len(self.first)]

    def __str__(self) -> str:
        """Return the events as the end of a message, empty without any."""
        if not self.first:
            return ""
        more = self.count - len(self.first)
        return f"; meanwhile: {', '.join(map(_event, self.first))}" + (f" and {more:,} more" if more else "")


def _event(record: "Record") -> str:
    """Return an event's name and its first argument."""
    from nsroom.record import brief

    return " ".join(
        [brief(record.event, _MAX_NAME), *(brief(arg, _MAX_VALUE) for arg in (record.args or [])[:1])]
    )


def _as_record(record: "Record") -> bytes:
    from nsroom.output.ndjson import encode

    return encode(record)


def _as_text(record: "Record") -> bytes:
    """Return the answer as ASCII JSON, which is safe for a terminal: one argument, or an array of several."""
    from nsroom.record import escape

    args = record.args or []
    answer = escape(args[0] if len(args) == 1 else args)
    return f"{dumps(answer, indent=2 if sys.stdout.isatty() else None)}\n".encode()


def _raise_if_refused(record: "Record") -> None:
    from nsroom.protocol.refusals import refusal

    if refused := refusal(record.args):
        raise NackError(f"the server answered {refused}")
