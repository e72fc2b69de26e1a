"""`nsroom replay`: send a recording again, with its timing."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from io import BufferedReader, BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.connection_options import AnyTarget, ConnectionOptions
from nsroom.cli.declarations import Argument, Option
from nsroom.errors import DataError, LostError, NackError, NsroomError, UsageError, WaitError
from nsroom.output.stdio import complain, say

if TYPE_CHECKING:
    from typing import BinaryIO

    from nsroom.client.events import Line
    from nsroom.client.lines import Recorded
    from nsroom.client.target import Target
    from nsroom.record import Record
    from nsroom.replaying import Replay


_TOGETHER = 45_000
"""Bytes of a recording to read at once without pauses between the events."""


class Sent(StrEnum):
    """Which events of a recording to send, by their direction."""

    OUT = "out"
    IN = "in"
    ALL = "all"


def replay(
    file: Annotated[
        Path, Argument(metavar="FILE", help="A recording, a HAR file or a network capture; - is stdin.")
    ],
    target: AnyTarget = None,
    *,
    direction: Annotated[
        Sent, Option("--direction", help="Send the events that were sent, received, or both.")
    ] = Sent.OUT,
    speed: Annotated[
        float,
        Option("--speed", min=0, metavar="FACTOR", help="2 is twice as fast; 0 is without pauses."),
    ] = 1.0,
    ack: Annotated[bool, Option("--ack", help="Wait until every event is acknowledged.")] = False,
    timeout: Annotated[
        float,
        Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for an acknowledgement."),
    ] = 5.0,
    use_ids: Annotated[
        bool,
        Option("--map", help="Send ids that the server gives now in place of those that it gave then."),
    ] = False,
    expect: Annotated[
        bool,
        Option("--expect", help="Compare what the server sends with the recording; exit 1 if it differs."),
    ] = False,
    ignore: Annotated[
        list[str] | None,
        Option(
            "--ignore",
            metavar="PATH",
            help="With --expect: leave out this value, as for `nsroom diff`; repeatable.",
        ),
    ] = None,
    summary: Annotated[bool, Option("--summary", help="Print the counts to stderr at the end.")] = False,
    connection: ConnectionOptions,
) -> None:
    """Send the events of a recording again.

    Each event goes to the namespace that it was recorded in, with the recorded timing. By default only the
    events that the client sent are sent again.

    With --map and --expect, an acknowledgement is requested where the recording has one. --map replaces ids
    in the arguments: texts that look random, and values of keys such as id or userId. --expect prints the
    differences as `nsroom diff` does; times and made-up ids may differ.

    \b
    Examples:
      nsroom connect /chat --save session.ndjson
      nsroom replay session.ndjson
      nsroom replay session.ndjson --direction in --speed 10 -u :3001
      nsroom replay session.ndjson --speed 0 --ack --summary
      nsroom replay session.ndjson --speed 0 --map --expect
    """
    from nsroom.cli.delivery import run_delivery
    from nsroom.cli.run import run
    from nsroom.output.recording import open_file

    if ignore and not expect:
        raise UsageError("--ignore leaves out values of a comparison: add --expect")
    server = connection.target(target)
    is_named = bool(connection.named(server, target))
    server = server._replace(reconnect=False)
    if use_ids or expect:
        if ack or direction is not Sent.OUT:
            raise UsageError(
                "--map and --expect send and acknowledge as recorded: leave out --ack and --direction"
            )
        again = _replay_of(file, speed, timeout, use_ids, expect)
        if not is_named:
            server = server._replace(namespaces=again.recorded.namespaces)
        failure = _converse(again, server, timeout, summary)
        _conclude(file, again, failure, ignore or () if expect else None)
        return
    with ExitStack() as stack:
        batches = _selected(open_file(file, stack), direction, 0 if speed else _TOGETHER)
        first = next(batches, None)
        if first is None:
            raise DataError(f"{file}: no events to send; try --direction in for received events")
        if not is_named:
            server = server._replace(namespaces=(first[1][0].item.namespace,))
        lines = _timed(chain([first], batches), speed)
        run(run_delivery(server, lines, timeout=timeout, ack=ack, summary=summary))
    say(f"{file}: sent again")


def _replay_of(file: Path, speed: float, timeout: float, use_ids: bool, expect: bool) -> "Replay":
    """Return the replay of a recording. Raises: DataError."""
    from nsroom.capture.recorded import recognise_recording
    from nsroom.output.recording import open_file, read
    from nsroom.replaying import Recorded, Replay

    with ExitStack() as stack:
        is_recording, stream = recognise_recording(open_file(file, stack))
        recorded = Recorded(list(read(stream) if is_recording else _salvaged(stream)))
    if not recorded.steps:
        raise DataError(f"{file}: no events to send")
    return Replay(recorded, speed=speed, timeout=timeout, use_ids=use_ids, expect=expect)


def _converse(again: "Replay", server: "Target", timeout: float, summary: bool) -> NsroomError | None:
    """Send the events; return why that ended early, if what was received can be compared all the same."""
    from nsroom.cli.delivery import run_delivery
    from nsroom.cli.run import run

    lines = again.lines()
    try:
        run(run_delivery(server, lines, timeout=timeout, summary=summary, on_records=again.add))
    except (LostError, NackError, WaitError) as error:
        return error
    return None


def _conclude(
    file: Path, again: "Replay", failure: NsroomError | None, ignored: "Sequence[str] | None"
) -> None:
    """Report the differences, unless `ignored` is None. Raises: NsroomError, typer.Exit."""
    from nsroom.commands.diff import report
    from nsroom.comparison import Ignored

    if ignored is None:
        if failure is not None:
            raise failure
        say(f"{file}: sent again")
        return
    differences = again.differences(Ignored(ignored))
    if failure is not None and not (isinstance(failure, NackError) or again.has_ended_as_recorded):
        if not differences:
            raise failure
        complain(str(failure))
    report(differences, again.counts)


def _selected(file: "BinaryIO", direction: Sent, together: int) -> "Iterator[tuple[int, list[Line]]]":
    """Yield the events of a direction as lines to send, after the time of the first.

    Those of about `together` bytes come at once; with 0, each by itself. Raises: DataError, after the events
    before it.
    """
    from nsroom.capture.recorded import recognise_recording
    from nsroom.client.events import Line
    from nsroom.record import Direction

    wanted = [each.value for each in Direction] if direction is Sent.ALL else [direction.value]
    is_recording, stream = recognise_recording(file)
    for first, events in _events(stream, together) if is_recording else _salvaged_events(stream):
        numbered = enumerate(events, first)
        lines = [Line(number, event[2]) for number, event in numbered if event and event[1] in wanted]
        if lines:
            yield next(event[0] for event in events if event), lines


def _events(file: BufferedReader, together: int) -> "Iterator[tuple[int, list[Recorded | None]]]":
    """Yield the events of lines, after the number of the first. Raises: DataError, after those before it."""
    from nsroom.client.lines import parse_recorded, recorded_event
    from nsroom.encoding import read_blocks, read_lines
    from nsroom.output.recording import MAX_LINE, parse

    first = 1
    for block in read_blocks(file, together, MAX_LINE) if together else read_lines(file, MAX_LINE):
        events = parse_recorded(block)
        others = [at for at, event in enumerate(events) if event is None]
        lines = list(BytesIO(block)) if others else []
        error = None
        for at in others:
            if lines[at].isspace():
                continue
            try:
                events[at] = recorded_event(parse(lines[at], first + at))
            except DataError as problem:
                error = problem
                del events[at:]
                break
        yield first, events
        if error:
            raise error
        first += len(events)


def _salvaged_events(file: "BinaryIO") -> "Iterator[tuple[int, list[Recorded | None]]]":
    from nsroom.client.lines import recorded_event

    for number, record in _salvaged(file):
        if event := recorded_event(record):
            yield number, [event]


def _salvaged(file: "BinaryIO") -> "Iterator[tuple[int, Record]]":
    """Yield the records of a HAR file or a network capture with their numbers. Raises: DataError."""
    from nsroom.capture.recorded import salvage

    for _, item in salvage(file):
        if isinstance(item, DataError):
            raise item
        yield item.seq, item


async def _timed(batches: "Iterable[tuple[int, list[Line]]]", speed: float) -> "AsyncIterator[list[Line]]":
    """Yield each event at its recorded time, or all of them at once."""
    import asyncio

    loop = asyncio.get_running_loop()
    started, first_time = loop.time(), None
    for time, lines in batches:
        if speed:
            first_time = time if first_time is None else first_time
            await asyncio.sleep(started + (time - first_time) / 1e6 / speed - loop.time())
        yield lines
