"""`nsroom reply`: acknowledge events of the server, the other side of `call`."""

import sys
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.declarations import Argument, Option
from nsroom.cli.display_options import ShowOptions
from nsroom.errors import LostError, UsageError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Sequence

    from nsroom.client.client import Client
    from nsroom.client.replies import Rule
    from nsroom.client.target import Target
    from nsroom.output.sinks import Keep, Route
    from nsroom.record import Record

_SETTLE = 2.0
"""Seconds for the server to read the last acknowledgement."""


class ReplyOptions(ShowOptions):
    """Display options of a command that acknowledges events."""

    where: Annotated[
        str | None,
        Option("--where", metavar="EXPR", help="Acknowledge only matching events, e.g. arg.0.room=a."),
    ] = None
    count: Annotated[
        int | None, Option("-C", "--count", min=1, metavar="N", help="Exit after N acknowledgements.")
    ] = None
    all: Annotated[bool, Option("--all", help="Show everything that happens.")] = False
    raw: Annotated[bool, Option("--raw", help="Also show the frames as they were on the wire.")] = False


def reply(
    *,
    target: LeadingTarget = "",
    event: Annotated[str, Argument(metavar="EVENT", help="The event's name.")],
    args: Annotated[list[str] | None, Argument(metavar="[ARG]...", show_default=False)] = None,
    text: Annotated[bool, Option("-t", "--text", help="Take every ARG as a plain string.")] = False,
    program: Annotated[
        str | None,
        Option(
            "--exec",
            metavar="COMMAND",
            help="Run this for each event, the record on stdin; its output is the answer. No shell is used.",
        ),
    ] = None,
    connection: ConnectionOptions,
    options: ReplyOptions,
) -> None:
    """Acknowledge every event of this name, and print the answers.

    The arguments are those of `emit`: JSON or else text, key=value, @FILE. COMMAND of --exec gets the event's
    name in $NSROOM_EVENT and has five seconds; its output is JSON or else text. Only the client that was
    asked can acknowledge: to answer a server that asks back when you emit, emit from the same client, with
    `connect --stdin --reply EVENT=ARG`.

    \b
    Examples:
      nsroom reply ask ok:=true
      nsroom reply /chat ask '{"ok":true}' -C 1 -W 30
      nsroom reply price --exec 'jq .args[0].amount'
      nsroom reply ask error=busy --where 'arg.0.room=lobby'
    """
    from nsroom.cli.run import run
    from nsroom.client.events import parse_arguments
    from nsroom.client.replies import Rule, parse_program
    from nsroom.filters import parse

    if program is not None and args:
        raise UsageError("--exec makes the answer: leave out either it or the arguments")
    answer = parse_arguments(args or [], text) if program is None else parse_program(program)
    rule = Rule(answer, parse(options.where) if options.where else None)
    run(_reply(connection.target(target), event, rule, options))


async def _reply(target: "Target", event: str, rule: "Rule", options: ReplyOptions) -> None:
    import asyncio
    from contextlib import AsyncExitStack

    from nsroom.client.client import Client
    from nsroom.output.stdio import complain
    from nsroom.output.writer import Output
    from nsroom.watch import reader_closed, routes_to, run_until_done, within

    client = Client(target, watch=True, raw=options.raw, say=say, note=complain, rules={event: rule})
    output = Output(sys.stdout.fileno())
    async with AsyncExitStack() as stack:
        keep = None if options.all else _keep(event, rule)
        routes = routes_to(output, options, keep, stack, namespaces=target.namespaces)
        stack.push_async_callback(client.close)
        connected = asyncio.Event()
        showing = _show(client, event, routes, options.count)
        work = run_until_done(showing, _connect(client, connected), reader_closed(output))
        await within(options, work, connected)
    if failed := client.replier.failed:
        raise LostError(
            f"{failed:,} events were not acknowledged" if failed > 1 else "1 event was not acknowledged"
        )


def _keep(event: str, rule: "Rule") -> "Keep":
    """Return the filter: the events that have the rule, and their acknowledgements."""

    def keep(record: "Record") -> bool:
        if str(record.event) != event:
            return False
        if record.kind == "event" and record.direction == "in":
            return rule.where is None or rule.where(record)
        return _is_answer(record)

    return keep


def _is_answer(record: "Record") -> bool:
    return record.kind == "ack" and record.direction == "out"


async def _connect(client: "Client", connected: "asyncio.Event") -> None:
    await client.connect()
    connected.set()


async def _show(client: "Client", event: str, routes: "Sequence[Route]", count: int | None) -> None:
    """Show the records until the connection ends, or until `count` events are acknowledged."""
    from nsroom.output.sinks import pump

    await pump(_until_answered(client, event, count), routes)
    if client.failure is None:
        await client.settle(_SETTLE)


async def _until_answered(
    client: "Client", event: str, count: int | None
) -> "AsyncIterator[Sequence[Record]]":
    """Yield the client's records up to the acknowledgement with this number.

    Says once that the server asks for none.
    """
    answered, told = 0, False
    async for records in client.records():
        for at, record in enumerate(records, 1):
            if str(record.event) != event:
                continue
            answered += _is_answer(record)
            if answered == count:
                yield records[:at]
                return
            if record.kind == "event" and record.id is None and not told:
                told = True
                say(f"{event!r} arrived, but the server did not ask for an acknowledgement of it")
        yield records
