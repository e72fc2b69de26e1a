"""Parse durations such as 250ms and 2s."""

import re

from nsroom.errors import UsageError

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")


def parse_duration(option: str, text: str) -> float:
    """Return `200ms` or `1.5s` in seconds. Raises: UsageError that names the option."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text!r}: write it as 200ms or 1.5s")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
