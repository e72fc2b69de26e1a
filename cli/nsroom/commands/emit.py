"""`nsroom emit`: emit one event, or every line of stdin."""

import sys
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated, Any

from nsroom.cli.connection_options import ConnectionOptions, LeadingTarget
from nsroom.cli.declarations import Argument, Option
from nsroom.cli.event_options import EmitOptions
from nsroom.cli.via_options import Via, ViaOptions
from nsroom.errors import DataError, UsageError
from nsroom.output.stdio import put, say

if TYPE_CHECKING:
    from nsroom.client.events import Acknowledge, Emit, Line
    from nsroom.client.target import Target
    from nsroom.introspection.observer import Observer, Where
    from nsroom.introspection.ways import Way
    from nsroom.protocol.dialect import Dialect
    from nsroom.protocol.socketio import Packet
    from nsroom.record import Record

_MAX_NAME, _MAX_VALUE, _MAX_CALL = 100, 60, 200
"""Characters of an event's name, of an argument, and of both, in a message."""


def emit(
    *,
    target: LeadingTarget = "",
    event: Annotated[
        str, Argument(metavar="EVENT", help="The event's name, or - to read events from stdin.")
    ],
    args: Annotated[list[str] | None, Argument(metavar="[ARG]...", show_default=False)] = None,
    connection: ConnectionOptions,
    options: EmitOptions,
    ack: Annotated[bool, Option("--ack", help="Wait until every event is acknowledged.")] = False,
    summary: Annotated[bool, Option("--summary", help="Print the counts to stderr at the end.")] = False,
    json: Annotated[bool, Option("--json", help="With --ack: print each acknowledgement.")] = False,
    offline: Annotated[bool, Option("--offline", help="Print the frames instead of sending them.")] = False,
    write: Annotated[bool, Option("--write", help="Allow --via to act on the server.")] = False,
    via: ViaOptions,
) -> None:
    """Emit one event, or every line of stdin.

    Exits when everything is delivered. Each ARG is JSON if it parses as JSON, else a string; @FILE is
    binary; key=text, key:=json and key=@FILE collect into one object. Lines of stdin are
    ["event", arg, ...] or records, so a recording is valid input.

    \b
    Examples:
      nsroom emit hello '{"from":"the shell"}'
      nsroom emit order id:=7 note="to the door" scan=@label.png
      nsroom emit price 12.5 --room traders --ack
      nsroom emit - --ack --summary < recording.ndjson
      tail -f app.log | nsroom emit log - -n /ops
      nsroom emit news hello --to lobby --via admin --write
    """
    from nsroom.cli.run import run

    server = connection.target(target)._replace(reconnect=False)
    kind = via.kind(write)
    if kind not in (Via.AUTO, Via.EVENTS):
        from nsroom.cli.admin_credentials import run_first

        _check(kind, options, write, ack or json or summary or offline)
        lines = _lines(event, args or [], server.namespaces[0], options.replace(room=None))
        run_first(lambda way: _emit_from_inside(way, lines, options), via.ways(server))
    else:
        # The reference server may refuse to relay an event.
        ack = ack or bool(options.room)
        lines = _lines(event, args or [], server.namespaces[0], options)
        if offline:
            run(_print_frames(lines, server, options, ack))
            return
        run(_deliver(server, lines, options, ack, summary, json))
    if sys.stdout.isatty() and "-" not in (event, *(args or [])[:1]) and not json:
        _print_emitted(event, args or [], f"{server.namespaces[0]} on {via.place(server, write)}", options)


def _print_emitted(event: str, args: list[str], place: str, options: EmitOptions) -> None:
    """Print what was emitted, as `message("hi") to / on localhost:3000`."""
    from nsroom.client.events import parse_arguments
    from nsroom.output.stdio import say_result
    from nsroom.output.terminal import clip, safe
    from nsroom.protocol import strict_json
    from nsroom.record import escape

    shown = [strict_json.dump(escape(arg)) for arg in parse_arguments(args, options.text)]
    call = f"{event[:_MAX_NAME]}({', '.join(clip(safe(text[:_MAX_CALL]), _MAX_VALUE) for text in shown)})"
    rooms = f"{', '.join(options.room)} in " if options.room else ""
    say_result(f"emitted {clip(safe(call), _MAX_CALL)} to {rooms}{place}")


def _check(kind: Via, options: EmitOptions, write: bool, other: bool) -> None:
    if not write:
        raise UsageError(f"--via {kind} changes the server; add --write to allow it")
    if options.skip or other:
        raise UsageError(f"--via {kind} does not support --ack, --json, --summary, --offline or --except")


async def _emit_from_inside(way: "Way", batches: "AsyncIterator[list[Line]]", options: EmitOptions) -> None:
    async with way.observe(timeout=options.timeout, say=say) as observer:
        if options.room and observer.state.reports_sockets:
            await observer.wait_for_sockets()
        rooms = [observer.state.find_room(room) for room in options.room or []]
        # One event for all rooms: a socket in two of them must not get it twice.
        where = rooms if len(rooms) > 1 else next(iter(rooms), None)
        await observer.run_while_reading(_emit_all(observer, batches, where))


async def _emit_all(observer: "Observer[Any]", batches: "AsyncIterator[list[Line]]", where: "Where") -> None:
    from nsroom.client.events import Emit
    from nsroom.introspection.inventory import Feature

    observer.require(Feature.EMIT)
    async for batch in batches:
        for item in (line.item for line in batch):
            if not isinstance(item, Emit):
                raise UsageError("--via emits events; it cannot acknowledge one")
            await observer.emit(item.namespace, where, item.event, item.args)


def _lines(event: str, args: list[str], namespace: str, options: EmitOptions) -> "AsyncIterator[list[Line]]":
    from nsroom.client.events import Emit

    if event == "-":
        from nsroom.client.lines import parse_line

        if not options.room and not options.skip:
            return _stdin(lambda line: parse_line(line, namespace))
        return _stdin(lambda line: _relayed(parse_line(line, namespace), options))
    if args == ["-"]:
        return _stdin(lambda line: options.relayed(Emit(namespace, event, [line.decode("utf-8", "replace")])))
    return _one(options.emit(event, args, namespace))


def _relayed(item: "Emit | Acknowledge | None", options: EmitOptions) -> "Emit | Acknowledge | None":
    from nsroom.client.events import Emit

    return options.relayed(item) if isinstance(item, Emit) else item


async def _one(emit: "Emit") -> "AsyncIterator[list[Line]]":
    from nsroom.client.events import Line

    yield [Line(None, emit)]


async def _stdin(read: "Callable[[bytes], Emit | Acknowledge | None]") -> "AsyncIterator[list[Line]]":
    """Yield the events of the lines of stdin. Raises: DataError at an invalid line, after those before it."""
    from nsroom.cli.stdin import lines
    from nsroom.client.events import Line

    number = 0
    async for batch in lines(sys.stdin.fileno()):
        items: list[Line] = []
        error = None
        for text in batch:
            number += 1
            try:
                item = read(text.removesuffix(b"\r")) if text.strip() else None
            except ValueError as problem:
                error = DataError(f"line {number}: {problem}; the lines before it were sent")
                break
            if item is not None:
                items.append(Line(number, item))
        if items:
            yield items
        if error:
            raise error


async def _deliver(
    target: "Target",
    batches: "AsyncIterator[list[Line]]",
    options: EmitOptions,
    ack: bool,
    summary: bool,
    json: bool,
) -> None:
    from nsroom.cli.delivery import run_delivery

    await run_delivery(
        target,
        batches,
        timeout=options.timeout,
        ack=ack,
        on_ack=_print_record if json else None,
        summary=summary,
        begin=options.enter,
    )


async def _print_frames(
    batches: "AsyncIterator[list[Line]]", target: "Target", options: EmitOptions, ack: bool
) -> None:
    """Print the frames as they would be sent: the joins of --room too, with the ids of acknowledgements."""
    from itertools import count

    from nsroom.client.events import Emit
    from nsroom.client.negotiation import first_dialect

    dialect, ids = first_dialect(target), count()
    for join in options.joins(target.namespaces):
        _print_packet(dialect, join.packet(next(ids)))
    async for batch in batches:
        for line in batch:
            item = line.item
            asks = ack and isinstance(item, Emit)
            _print_packet(dialect, item.packet()._replace(id=next(ids)) if asks else item.packet())


def _print_packet(dialect: "Dialect", packet: "Packet") -> None:
    from nsroom.protocol import engineio

    for part in dialect.write(packet):
        message = engineio.Packet(engineio.PacketType.MESSAGE, part)
        put(f"{dialect.to_wire(engineio.encode_payload([message]))!s}\n".encode())


def _print_record(record: "Record") -> None:
    from nsroom.output.ndjson import encode

    put(encode(record))
