"""What a session consisted of, in one line: how long it was, its events, and whether they are saved. Pure."""

from collections import Counter

_MAX_NAMES = 1000
_MAX_NAME = 200
"""Characters. Longer names come only from a server that tries to fill the memory."""
_SHOWN_NAMES = 2
_NAME_CELLS = 40


class Tally:
    """Counts the events of a session, in both directions, and those of each name."""

    def __init__(self) -> None:
        self.events = 0
        self._by_name: Counter[str] = Counter()

    def add(self, event: str) -> None:
        """Count an event."""
        self.events += 1
        if event in self._by_name or (len(self._by_name) < _MAX_NAMES and len(event) <= _MAX_NAME):
            self._by_name[event] += 1

    def summary(self) -> str:
        """Return `12,408 events (price 12,161, message 212 …)`."""
        if not self.events:
            return "no events"
        count = f"{self.events:,} event{'s'[: self.events > 1]}"
        most = self._by_name.most_common(_SHOWN_NAMES)
        if most and most[0][1] == self.events:
            return f"{count} ({_shortened(most[0][0])})"
        named = ", ".join(f"{_shortened(name)} {number:,}" for name, number in most)
        rest = " …" if sum(number for _, number in most) < self.events else ""
        return f"{count} ({named}{rest})" if named else count


def session_summary(seconds: float, place: str, tally: Tally, reconnections: int, saved_to: str) -> str:
    """Return `14 min on http://localhost:3000, 12,408 events (price 12,161 …), not saved`."""
    parts = [f"{_rounded(seconds)} on {place}", tally.summary()]
    if reconnections:
        parts.append(f"{reconnections:,} reconnection{'s'[: reconnections > 1]}")
    return ", ".join([*parts, f"saved to {saved_to}" if saved_to else "not saved"])


def _rounded(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes == 0:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_CELLS else f"{name[: _NAME_CELLS - 1]}…"
