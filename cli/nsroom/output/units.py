"""Sizes and durations as text."""

_SIZES = (("kB", 10**3), ("MB", 10**6), ("GB", 10**9))


def size(count: int) -> str:
    """Return a number of bytes as text: `950 B`, `14.2 kB`, `1.0 MB`."""
    if count < 1000:
        return f"{count} B"
    unit, scale = next(((unit, scale) for unit, scale in _SIZES if count < 999.95 * scale), ("TB", 10**12))
    return f"{count / scale:.1f} {unit}"


def duration(milliseconds: float) -> str:
    """Return a time as text: `2.4 ms`, `148 ms`, `1.6 s`."""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"
