"""How much one address may have of everything: connections, new ones a second, and events."""

from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import Bucket

_FORGET_ABOVE = 4096
"""Addresses known at once before those without a connection are looked through."""


class _Address:
    __slots__ = ("connections", "connects", "events")

    def __init__(self, limits: Limits) -> None:
        self.connections = 0
        self.connects = Bucket(limits.address_connects_per_second, limits.address_connects_burst)
        self.events = Bucket(limits.address_events_per_second, limits.address_events_burst)

    def is_forgettable(self, now: float) -> bool:
        return not self.connections and self.connects.is_full(now)


class Admission:
    """Counts what comes from each address; times in seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._addresses: dict[str, _Address] = {}

    def enter(self, name: str, now: float) -> bool:
        """Count one more connection, or tell that it is one too many."""
        address = self._addresses.get(name)
        if address is None:
            self._forget(now)
            address = self._addresses[name] = _Address(self._limits)
        if address.connections >= self._limits.connections_per_address or address.connects.take(now):
            return False
        address.connections += 1
        return True

    def leave(self, name: str) -> None:
        """Count one connection less."""
        self._addresses[name].connections -= 1

    def event(self, name: str, now: float) -> float:
        """Count one more event, or give the seconds until there may be one."""
        return self._addresses[name].events.take(now)

    def _forget(self, now: float) -> None:
        if len(self._addresses) < _FORGET_ABOVE:
            return
        for name in [name for name, address in self._addresses.items() if address.is_forgettable(now)]:
            del self._addresses[name]
