"""Redis' clock, by which a call that comes too late is known."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """Redis' clock, as far as it can be known here: it shows at least this."""

    _ahead: float = math.nan

    def set(self, milliseconds: int, now: float) -> None:
        """Take notice of what it showed, not after `now`."""
        self._ahead = milliseconds - now * 1000

    def at(self, moment: float) -> int:
        """Give what it will show at least; 0 when nothing is known."""
        return 0 if math.isnan(self._ahead) else int(self._ahead + moment * 1000)
