"""Parse durations such as 250ms and 2s."""

import re

from nsroom.errors import UsageError

_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


def parse_time(text: str, option: str = "--delay") -> float:
    """Read `200ms` or `1.5s` as seconds. Raises: UsageError that names the option."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text!r}: give it as 200ms or 1.5s")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
