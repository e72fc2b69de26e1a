"""Parse --fault: how the server misbehaves on purpose, to test clients."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from nsroom_server.errors import ConfigError
from nsroom_server.settings import access

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_SYNTAX = "latency=200ms, drop=5%, kick=30s, no-upgrade, no-ack, no-sticky, forget, reject=/NAMESPACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults; times in seconds."""

    latency: float = 0.0
    """The delay of everything the server sends."""
    drop: float = 0.0
    """The share of events and acknowledgements to drop, in both directions."""
    kick: float = 0.0
    """The time after which every connection is closed."""
    no_upgrade: bool = False
    """Offer WebSockets and refuse them, as a proxy without support for them does."""
    no_ack: bool = False
    """Acknowledge nothing."""
    no_sticky: bool = False
    """Answer every second request as a server that does not know the session: no sticky sessions."""
    forget: bool = False
    """Offer to recover clients, and recover none."""
    reject: frozenset[str] = frozenset()
    """Namespaces to refuse."""

    def __bool__(self) -> bool:
        """Whether there are any faults."""
        return self != Faults()

    def __str__(self) -> str:
        """Return the faults as `parse` reads them."""
        words = [
            self.latency and f"latency={self.latency:g}s",
            self.drop and f"drop={self.drop * 100:g}%",
            self.kick and f"kick={self.kick:g}s",
            self.no_upgrade and "no-upgrade",
            self.no_ack and "no-ack",
            self.no_sticky and "no-sticky",
            self.forget and "forget",
            *(f"reject={namespace}" for namespace in sorted(self.reject)),
        ]
        return ",".join(word for word in words if isinstance(word, str))

    @property
    def affects_sessions(self) -> bool:
        """Whether a FaultySession is needed."""
        return bool(self.latency or self.drop or self.kick)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Parse lists of faults.

        Raises: ConfigError.
        """
        faults = cls()
        for text in texts:
            for word in text.split(","):
                faults = faults._add(word.strip())
        return faults

    def _add(self, word: str) -> Self:
        name, _, value = word.partition("=")
        if word in ("no-upgrade", "no-ack", "no-sticky", "forget"):
            switch: dict[str, Any] = {word.replace("-", "_"): True}
            return replace(self, **switch)
        if name == "latency":
            return replace(self, latency=_seconds(word, value))
        if name == "kick":
            return replace(self, kick=_seconds(word, value))
        if name == "drop":
            return replace(self, drop=_fraction(word, value))
        if name == "reject" and access.is_namespace(value):
            return replace(self, reject=self.reject | {value})
        raise ConfigError(f"fault {word!r}: choose from {_SYNTAX}")


def _seconds(word: str, value: str) -> float:
    found = _DURATION.fullmatch(value)
    if not found:
        raise ConfigError(f"fault {word!r}: write a time, such as 200ms or 30s")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _fraction(word: str, value: str) -> float:
    found = _PERCENT.fullmatch(value)
    if not found or float(found[1]) > 100:
        raise ConfigError(f"fault {word!r}: write a share, such as 5%")
    return float(found[1]) / 100
