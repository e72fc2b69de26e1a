"""Options of commands that show the traffic of others."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.declarations import Option
from nsroom.cli.display_options import NotifyOption, ShowOptions, ThemeOption

if TYPE_CHECKING:
    from nsroom.record import Record


class RelayOptions(ShowOptions):
    """Display options of a command that relays the traffic of others."""

    theme: ThemeOption = None
    all: Annotated[bool, Option("--all", help="Also show heartbeats.")] = False
    raw: Annotated[bool, Option("--raw", help="Also show the frames as they were on the wire.")] = False

    def keep(self) -> "Callable[[Record], bool] | None":
        """Return the filter: all but heartbeats, unless the options ask for more. Raises: UsageError."""
        return self.only(is_not_heartbeat)


class ProxyOptions(RelayOptions):
    """Display options of `proxy`."""

    notify: NotifyOption = None


def is_not_heartbeat(record: "Record") -> bool:
    """Return whether this is neither a ping nor a pong."""
    return record.kind not in ("ping", "pong")
