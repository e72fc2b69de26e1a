"""Options that select and format the records shown."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.declarations import Option, Options
from nsroom.output.terminal import Theme
from nsroom.output.times import Times
from nsroom.record import is_received

if TYPE_CHECKING:
    from nsroom.client.messages import MessageEvents
    from nsroom.client.replies import Rules
    from nsroom.record import Record


SID_CELLS = 20
"""Width of the session ids of Node and python-engineio."""

ThemeOption = Annotated[
    Theme | None,
    Option("--theme", help="Colours of the full screen; auto asks the terminal for its background."),
]


NotifyOption = Annotated[
    str | None,
    Option(
        "--notify",
        metavar="EXPR",
        help="Ring the bell for matching records, or show a desktop notice if the terminal can.",
    ),
]


class ShowOptions(Options):
    """Which records to show, how, and for how long."""

    where: Annotated[
        str | None,
        Option("--where", metavar="EXPR", help="Show only matching records, e.g. event=message & ns=/chat."),
    ] = None
    count: Annotated[int | None, Option("-C", "--count", min=1, metavar="N", help="Exit after N lines.")] = (
        None
    )
    wait: Annotated[
        float | None,
        Option("-W", "--wait", min=0, metavar="SECONDS", help="Exit with code 5 after this time."),
    ] = None
    duration: Annotated[
        float | None,
        Option("--for", min=0, metavar="SECONDS", help="Exit with code 0 after this time, once connected."),
    ] = None
    all: Annotated[bool, Option("--all", help="Show every kind of record, not only received events.")] = False
    json: Annotated[bool, Option("--json", help="Print NDJSON, even on a terminal.")] = False
    plain: Annotated[bool, Option("--plain", help="Print readable lines: no full screen, no NDJSON.")] = False
    times: Annotated[
        Times,
        Option(
            "--time",
            help="The times in readable lines; relative is since the first line, delta since the previous.",
        ),
    ] = Times.LOCAL
    save: Annotated[
        str | None, Option("--save", metavar="FILE", help="Record everything to this file as NDJSON.")
    ] = None
    force: Annotated[bool, Option("--force", help="Let --save overwrite its file.")] = False

    def only(self, usual: "Callable[[Record], bool]") -> "Callable[[Record], bool] | None":
        """Return the filter: `--where` and, unless it names kind or dir or --all is given, also `usual`.

        Raises: UsageError.
        """
        from nsroom.filters import parse

        where = parse(self.where) if self.where else None
        if self.all or (where is not None and where.fields & {"kind", "direction"}):
            return where
        return lambda record: usual(record) and (where is None or where(record))


class WatchOptions(ShowOptions):
    """Display options of a command that has its own connection."""

    theme: ThemeOption = None
    notify: NotifyOption = None
    raw: Annotated[bool, Option("--raw", help="Also show the frames as they were on the wire.")] = False
    stdin: Annotated[
        bool,
        Option("--stdin", help="Send the lines of stdin: text to the room, or events as for `emit -`."),
    ] = False
    reply: Annotated[
        list[str] | None,
        Option(
            "--reply",
            metavar="EVENT=ARG",
            help="Acknowledge every such event with this argument, as `reply` does; repeatable.",
        ),
    ] = None

    message_event: Annotated[
        str | None,
        Option(
            "--message-event",
            metavar="NAME",
            help="The event that typed text becomes. Default: the one last heard in the room, else message.",
        ),
    ] = None
    message_args: Annotated[
        str | None,
        Option(
            "--message-args",
            metavar="JSON",
            help="Its arguments, with {text} and {room} in them; an array is several arguments.",
        ),
    ] = None

    def message_events(self) -> "MessageEvents":
        """Return how messages are read and sent. Raises: UsageError."""
        from nsroom.client.messages import MessageEvents

        return MessageEvents(self.message_event, self.message_args)

    def keep(self) -> "Callable[[Record], bool] | None":
        """Return the filter: received events, unless the options ask for more. Raises: UsageError."""
        return self.only(is_received)

    def rules(self) -> "Rules":
        """Return the rules of --reply. Raises: UsageError."""
        from nsroom.client.replies import parse_rules

        return parse_rules(self.reply or ())


class TailOptions(ShowOptions):
    """Display options of a command that observes the sockets of a server."""

    theme: ThemeOption = None
    notify: NotifyOption = None
