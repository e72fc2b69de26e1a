"""Lines for the user about what a server sends: thinned, because a server can send any number of packets."""

import time
from collections.abc import Callable

from nsroom.lazy import compile_lazily
from nsroom.record import Record

_FIRST_PAUSE = 10.0
_MAX_KINDS = 20
_MAX_FRAME = 80
"""Characters of an unreadable frame in its line."""
_VARIABLE = compile_lazily(r"\d+|'.*")


class Thinned:
    """Prints the first line of each kind, and then one after each pause; the pauses double."""

    def __init__(self, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._kinds: dict[str, tuple[float, float, int]] = {}
        """For each kind: the time of its next line, the pause after that, and the lines left out so far."""

    def __call__(self, text: str, kind: str | None = None) -> None:
        """Print a line of this kind (by default the text itself), or count it."""
        kind = text if kind is None else kind
        if kind not in self._kinds and len(self._kinds) >= _MAX_KINDS:
            kind = "other"
        after, pause, left_out = self._kinds.get(kind, (0.0, _FIRST_PAUSE, 0))
        if (now := self._clock()) < after:
            self._kinds[kind] = after, pause, left_out + 1
            return
        self._kinds[kind] = now + pause, pause * 2, 0
        self._say(f"{text} ({left_out:,} more like this)" if left_out else text)


def unreadable(record: Record) -> tuple[str, str]:
    """Return the line about a malformed packet of the server, and the kind of its fault."""
    fault = record.message or "malformed"
    frame = (record.frames or [""])[0]
    shown = f"{len(frame)} bytes" if isinstance(frame, bytes) else frame[:_MAX_FRAME]
    cut = "…" if isinstance(frame, str) and len(frame) > _MAX_FRAME else ""
    return f"cannot read a packet of the server: {fault}: {shown}{cut}", _VARIABLE.sub("", fault)
