"""Notify the user of records: by a desktop notice if the terminal shows such notices, else by the bell."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from nsroom.errors import UsageError
from nsroom.filters import Filter, FilterError, parse
from nsroom.output.summary import line
from nsroom.output.terminal import clip, safe
from nsroom.record import Record

_INTERVAL = 1.0
"""Seconds between two notices."""
_WIDTH = 100
_OSC_9 = frozenset(["iTerm.app", "WezTerm", "ghostty"])
"""Values of TERM_PROGRAM whose terminals show `OSC 9 ; text` as a notice."""
_OSC_777 = ("rxvt", "foot")
"""Beginnings of TERM whose terminals show `OSC 777 ; notify ; title ; text`, as those with VTE do."""


def notify_filter(text: str | None) -> Filter | None:
    """Return the filter of --notify, or None without one. Raises: UsageError."""
    try:
        return parse(text) if text else None
    except FilterError as error:
        raise UsageError(str(error).replace("--where", "--notify", 1)) from None


def sequence(text: str, environment: Mapping[str, str]) -> str:
    """Return what makes a terminal show a notice with this text, or ring its bell."""
    shown = clip(safe(text).replace(";", ","), _WIDTH)
    term = environment.get("TERM", "")
    if environment.get("TMUX") or term.startswith(("screen", "tmux")):
        return "\a"  # they pass on the bell, but no notices
    if environment.get("TERM_PROGRAM") in _OSC_9 or term == "xterm-kitty":
        return f"\x1b]9;nsroom: {shown}\a"
    if term.startswith(_OSC_777) or "VTE_VERSION" in environment:
        return f"\x1b]777;notify;nsroom;{shown}\a"
    return "\a"


class Notifier:
    """A sink that notifies the user of records, at most once a second."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._next = 0.0

    async def write(self, records: Sequence[Record]) -> None:
        """Notify the user of the first of these records."""
        if records and self._clock() >= self._next:
            self._next = self._clock() + _INTERVAL
            self._write(sequence(_text(records[0]), os.environ))

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _text(record: Record) -> str:
    return " ".join("".join(text for _, text in line(record, _WIDTH)[1:]).split())


def on_stderr() -> Notifier:
    """Return a notifier of the terminal that stderr is. Raises: UsageError if it is not a terminal."""
    if not sys.stderr.isatty():
        raise UsageError("--notify needs a terminal on stderr, to ring its bell")

    def write(text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be closed; that ends the program elsewhere
            sys.stderr.write(text)
            sys.stderr.flush()

    return Notifier(write)
