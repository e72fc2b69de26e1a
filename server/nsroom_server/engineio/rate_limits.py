"""Per-address limits on connections, new connections, events and failed logins."""

from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import TokenBucket

_REMOVE_ABOVE = 4096
"""Addresses to remember before the idle ones are removed."""


class _Address:
    __slots__ = ("connections", "connects", "events", "failed_logins")

    def __init__(self, limits: Limits) -> None:
        self.connections = 0
        self.connects = TokenBucket(limits.address_connects_per_second, limits.address_connects_burst)
        self.events = TokenBucket(limits.address_events_per_second, limits.address_events_burst)
        self.failed_logins = TokenBucket(limits.failed_logins_per_second, limits.failed_logins_burst)

    def is_idle(self, now: float) -> bool:
        return not self.connections and self.connects.is_full(now) and self.failed_logins.is_full(now)


class AddressLimits:
    """Counts the connections and events of each address; times in seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._addresses: dict[str, _Address] = {}
        self._remove_above = _REMOVE_ABOVE

    def add_connection(self, name: str, now: float) -> str | None:
        """Count a new connection and return None, or return the limit that it exceeds."""
        address = self._addresses.get(name)
        if address is None:
            self._remove_idle(now)
            address = self._addresses[name] = _Address(self._limits)
        if address.connections >= self._limits.connections_per_address:
            return "connections_per_address"
        if address.connects.take(now):
            return "address_connects_per_second"
        address.connections += 1
        return None

    def remove_connection(self, name: str) -> None:
        """Count a closed connection."""
        self._addresses[name].connections -= 1

    def take_event(self, name: str, now: float) -> float:
        """Count an event and return 0, or return the seconds until one is allowed."""
        return self._addresses[name].events.take(now)

    def may_log_in(self, name: str, now: float) -> bool:
        """Return whether few enough logins have failed to try another one."""
        return not self._addresses[name].failed_logins.is_empty(now)

    def add_failed_login(self, name: str, now: float) -> None:
        """Count a wrong token or password."""
        self._addresses[name].failed_logins.take(now)

    def _remove_idle(self, now: float) -> None:
        if len(self._addresses) < self._remove_above:
            return
        for name in [name for name, address in self._addresses.items() if address.is_idle(now)]:
            del self._addresses[name]
        # Looked through again when they have doubled: looking at each new address would take quadratic time.
        self._remove_above = max(_REMOVE_ABOVE, 2 * len(self._addresses))
