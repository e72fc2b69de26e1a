"""The options of what is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nsroom.record import Record


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What to show of what is seen, how, and for how long."""

    where: Annotated[
        str | None,
        typer.Option("--where", metavar="EXPR", help="Show only what matches, as event=message & ns=/chat."),
    ] = None
    count: Annotated[
        int | None, typer.Option("-C", "--count", min=1, metavar="N", help="End after N lines.")
    ] = None
    wait: Annotated[
        float | None,
        typer.Option("-W", "--wait", min=0, metavar="SECONDS", help="End with code 5 after this time."),
    ] = None
    all: Annotated[
        bool, typer.Option("--all", help="Show every kind of record, not only received events.")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print NDJSON, even on a terminal.")] = False
    plain: Annotated[
        bool, typer.Option("--plain", help="Print readable lines: no full screen, no NDJSON.")
    ] = False
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", help="Record everything to this file, as NDJSON.")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Let --save overwrite its file.")] = False

    def only(self, usual: "Callable[[Record], bool]") -> "Callable[[Record], bool] | None":
        """Say what to show: the usual, unless `--all` or a `--where` with kind or dir asks for more.

        Raises: UsageError.
        """
        from nsroom.filters import parse

        where = parse(self.where) if self.where else None
        if self.all or (where is not None and where.fields & {"kind", "direction"}):
            return where
        return lambda record: usual(record) and (where is None or where(record))


@dataclass(frozen=True, slots=True)
class WatchOptions(ShowOptions):
    """… of one's own connection."""

    raw: Annotated[bool, typer.Option("--raw", help="Show the frames too, as they were on the wire.")] = False
    stdin: Annotated[
        bool,
        typer.Option(
            "--stdin", help="Send the lines of stdin: text to the room, or events as `emit -` takes them."
        ),
    ] = False

    def keep(self) -> "Callable[[Record], bool] | None":
        """Say what to show: received events, if nothing else is asked for. Raises: UsageError."""
        return self.only(is_received)


@dataclass(frozen=True, slots=True)
class RelayOptions(ShowOptions):
    """… of what others say to each other."""

    all: Annotated[bool, typer.Option("--all", help="Show the heartbeats too.")] = False
    raw: Annotated[bool, typer.Option("--raw", help="Show the frames too, as they were on the wire.")] = False

    def keep(self) -> "Callable[[Record], bool] | None":
        """Say what to show: all but heartbeats, if nothing else is asked for. Raises: UsageError."""
        return self.only(is_no_heartbeat)


def is_received(record: "Record") -> bool:
    """Tell whether this is an event from the server."""
    return record.kind == "event" and record.direction == "in"


def is_no_heartbeat(record: "Record") -> bool:
    """Tell whether this is worth a line where nobody asked for everything."""
    return record.kind not in ("ping", "pong")
