"""Offsets that connection state recovery adds to events of JavaScript servers. Pure."""

from nsroom.record import Json

_YEAST = {
    letter: n for n, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")
}
_HOUR = 3_600_000_000


def without_offset(args: list[Json], at: int) -> list[Json]:
    """Return the arguments without the recovery offset: a last string near `at` (µs)."""
    last = args[-1] if args else None
    is_offset = isinstance(last, str) and abs(_offset_ms(last) * 1000 - at) < _HOUR
    return args[:-1] if is_offset else args


def _offset_ms(text: str) -> int:
    """Return the time in a yeast, a Redis stream id or a MongoDB ObjectId, or 0 for other text."""
    head = text.partition(".")[0]
    if len(head) == 7 and all(letter in _YEAST for letter in head):
        return sum(_YEAST[letter] * 64**place for place, letter in enumerate(reversed(head)))
    head, dash, number = text.partition("-")
    if dash and len(head) == 13 and head.isdecimal() and number.isdecimal():
        return int(head)
    try:
        return int(text[:8], 16) * 1000 if len(text) == 24 else 0
    except ValueError:
        return 0
