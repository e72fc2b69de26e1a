"""Times of day in the column of times, local or UTC."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CELLS = 12
"""Width of a time of day."""


class Times(StrEnum):
    """What the column of times shows: times of day, those since the first or the previous record, nothing."""

    LOCAL = "local"
    UTC = "utc"
    RELATIVE = "relative"
    DELTA = "delta"
    NONE = "none"


def local_time(time: int) -> str:
    """Return the local time of day of a time in microseconds."""
    return _local_millisecond(time // 1000)


def utc_time(time: int) -> str:
    """Return the time of day in UTC of a time in microseconds."""
    seconds, micros = divmod(time, 1_000_000)
    hours, rest = divmod(seconds % 86_400, 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{micros // 1000:03d}"


def moment(time: int, utc: bool, precision: str = "milliseconds") -> str:
    """Return date and time of a time in microseconds, with the zone; nothing if no clock can show it."""
    try:
        when = _EPOCH + timedelta(microseconds=time)
        shown = when if utc else when.astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    offset = f"{shown:%z}"
    zone = "UTC" if utc else f"{offset[:3]}:{offset[3:]}"
    return f"{shown.replace(tzinfo=None).isoformat(' ', precision)} {zone}"


@lru_cache(maxsize=8)
def _local_millisecond(time: int) -> str:
    seconds, rest = divmod(time, 1000)
    return f"{_local_second(seconds)}.{rest:03d}"


@lru_cache(maxsize=8)
def _local_second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        # A recording may hold a time that the local clock cannot show
        return "--:--:--"
