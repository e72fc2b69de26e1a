"""What a session consisted of, in one line: how long it was, its events, and whether they are saved. Pure."""

from collections import Counter

from nsroom.tui.model.groups import Groups

_SHOWN_NAMES = 2
_NAME_CELLS = 40


def events_summary(groups: Groups) -> str:
    """Return `12,408 events (price 12,161, message 212 …)`."""
    total = groups.events
    if not total:
        return "no events"
    count = f"{total:,} event{'s'[: total > 1]}"
    names: Counter[str] = Counter()
    for key, group in groups.by_key.items():
        names[key.event] += group.count
    most = names.most_common(_SHOWN_NAMES)
    if most and most[0][1] == total:
        return f"{count} ({_shortened(most[0][0])})"
    named = ", ".join(f"{_shortened(name)} {number:,}" for name, number in most)
    rest = " …" if sum(number for _, number in most) < total else ""
    return f"{count} ({named}{rest})" if named else count


def session_summary(seconds: float, place: str, groups: Groups, reconnections: int, saved_to: str) -> str:
    """Return `14 min on http://localhost:3000, 12,408 events (price 12,161 …), not saved`."""
    parts = [f"{_rounded(seconds)} on {place}", events_summary(groups)]
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
