"""The ways to see a server from inside."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from nsroom.client.target import Target
from nsroom.introspection.observer import Observer, Say


class Way(Protocol):
    """A way to see a server from inside, which `observe` begins."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def observe(self, *, timeout: float = 5.0, say: Say = str) -> Observer[Any]:
        """Return an observer, to be entered; `timeout` is in seconds, `say` takes notices."""


@dataclass(frozen=True, slots=True)
class AdminWay:
    """The admin namespace of an instrumented server."""

    target: Target
    """Its one namespace is the admin namespace."""

    @property
    def name(self) -> str:
        """Return the namespace."""
        return self.target.namespaces[0]

    def observe(self, *, timeout: float = 5.0, say: Say = str) -> Observer[Any]:
        """Return a connection to the admin namespace."""
        from nsroom.introspection.admin.client import Admin

        return Admin(self.target, timeout=timeout, say=say)


@dataclass(frozen=True, slots=True)
class RedisWay:
    """The Redis that connects the servers."""

    url: str = field(repr=False)
    name: str
    """The URL without credentials."""

    def observe(self, *, timeout: float = 5.0, say: Say = str) -> Observer[Any]:
        """Return a connection to the Redis."""
        from nsroom.introspection.redis.observer import RedisObserver

        return RedisObserver(self.url, timeout=timeout, say=say)


@dataclass(frozen=True, slots=True)
class AttachWay:
    """The inspector of a Node process on this machine."""

    target: Target
    pid: int | None = None
    """None for the process that listens at the target's port."""

    @property
    def name(self) -> str:
        """Return its option."""
        return "attach"

    def observe(self, *, timeout: float = 5.0, say: Say = str) -> Observer[Any]:
        """Return an observer of the process."""
        from nsroom.introspection.attach.observer import Attach

        return Attach(self.target, self.pid, timeout=timeout, say=say)
