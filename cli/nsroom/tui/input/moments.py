"""Parse the time in a recording that a user types."""

import re
from datetime import UTC, datetime, timedelta

from nsroom.errors import UsageError
from nsroom.record import parse_time

_SINCE = re.compile(r"\+(?:(\d{1,4}):)?(?:(\d{1,6}):)?(\d{1,9}(?:\.\d{1,6})?)")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?")
_SHARE = re.compile(r"(\d{1,3})\s*%")


def parse_moment(text: str, first: int, last: int, *, utc: bool = False) -> int:
    """Return the time that a text names, in microseconds since the epoch.

    `+90` and `+1:30` are since the first record, `12:03:04` is a time of day, `50%` a share of the recording;
    `start` and `end` work too. Raises: UsageError.
    """
    text = text.strip()
    if text in ("start", "end"):
        return first if text == "start" else last
    if found := _SHARE.fullmatch(text):
        return first + (last - first) * min(int(found[1]), 100) // 100
    if found := _SINCE.fullmatch(text):
        hours, minutes = (found[1], found[2]) if found[2] else (None, found[1])
        return first + round((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(found[3])) * 1e6)
    try:
        return _time_of_day(text, first, utc) or parse_time(text)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"unknown time {text!r}; write 12:03:04, +1:30, 50% or end") from None


def _time_of_day(text: str, first: int, utc: bool) -> int | None:
    """Return the first moment with this time of day at or after the first record, or None."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    start = datetime.fromtimestamp(first // 1_000_000, UTC if utc else None)
    seconds = float(found[3] or 0)
    moment = start.replace(hour=int(found[1]), minute=int(found[2]), second=int(seconds), microsecond=0)
    if moment < start:
        moment += timedelta(days=1)
    return round((moment.timestamp() + seconds % 1) * 1e6)
