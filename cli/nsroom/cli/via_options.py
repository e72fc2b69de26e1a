"""Options of commands that see a server from inside, or act on it there."""

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from nsroom.cli.declarations import Option, Options
from nsroom.client.target import Target, namespace_of
from nsroom.errors import UsageError
from nsroom.lazy import compile_lazily

if TYPE_CHECKING:
    from nsroom.introspection.ways import Way

VARIABLE = "NSROOM_VIA"
_ATTACH = compile_lazily(r"attach(:[1-9][0-9]{0,9})?")


class Via(StrEnum):
    """How to reach the rooms of a server; `auto` tries what there is."""

    AUTO = "auto"
    EVENTS = "events"
    ADMIN = "admin"
    REDIS = "redis://…"
    ATTACH = "attach[:PID]"


class ViaOptions(Options):
    """How to see a server from inside."""

    via: Annotated[
        str | None,
        Option(
            "--via",
            metavar="WAY",
            help="How to reach the rooms: events of the application, admin, attach[:PID] for your Node"
            " process on this machine, a URL such as redis://localhost:6379 of a cluster's Redis, or auto,"
            " which tries the first three, attach only on a terminal. Put a password in $NSROOM_VIA, not"
            " here."
            " Default: $NSROOM_VIA, else auto.",
        ),
    ] = None
    admin_auth: Annotated[
        str | None,
        Option(
            "--admin-auth",
            metavar="AUTH",
            help="USER:PASSWORD, USER (asks for the password), JSON, or @FILE. Default: $NSROOM_ADMIN.",
        ),
    ] = None
    admin_session: Annotated[
        str | None,
        Option("--admin-session", metavar="ID", help="A session id of the Admin UI, or @FILE with it."),
    ] = None
    admin_namespace: Annotated[
        str, Option("--admin-namespace", metavar="NS", help="The admin namespace.")
    ] = "/admin"

    def ways(self, base: Target, write: bool = True) -> "list[Way]":
        """Return the ways to see the server from inside, in the order in which to try them.

        There are none with `--via events`. Raises: UsageError.
        """
        from nsroom.introspection.redis import address
        from nsroom.introspection.ways import AdminWay, AttachWay, RedisWay

        match self.kind(write):
            case Via.EVENTS:
                return []
            case Via.REDIS:
                url = self._given(write)
                return [RedisWay(url, address.parse(url).name)]
            case Via.ATTACH:
                return [AttachWay(base, self._pid(write))]
        ways: list[Way] = [AdminWay(self._admin_target(base))]
        if self.kind(write) is Via.AUTO and _may_attach(base):
            ways.append(AttachWay(base))
        return ways

    def place(self, server: Target, write: bool = True) -> str:
        """Return what to call the server that is seen. Raises: UsageError."""
        match self.kind(write):
            case Via.REDIS:
                return "a cluster"
            case Via.ATTACH if pid := self._pid(write):
                return f"pid {pid}"
        return server.place.partition("//")[2]

    def kind(self, write: bool = True) -> Via:
        """Return the kind of way; without `write` the environment names none. Raises: UsageError."""
        given = self._given(write)
        if _ATTACH.fullmatch(given):
            return Via.ATTACH
        if "://" in given:
            return Via.REDIS
        if given in (Via.AUTO, Via.EVENTS, Via.ADMIN):
            return Via(given)
        option = "--via" if self.via else f"${VARIABLE}"
        raise UsageError(f"{option}: no such way: it is one of {', '.join(Via)}")

    def _given(self, write: bool) -> str:
        return self.via or (os.environ.get(VARIABLE) if write else None) or Via.AUTO

    def _pid(self, write: bool) -> int | None:
        """Return the id of the process to attach to, or None for the one that listens at the URL's port."""
        pid = self._given(write).partition(":")[2]
        return int(pid) if pid else None

    def _admin_target(self, base: Target) -> Target:
        """Return the admin namespace of the same server; without admin credentials its payload is `--auth`.

        Raises: UsageError.
        """
        from nsroom.cli.admin_credentials import payload, usable_payload

        auth = payload(self.admin_auth, self.admin_session) or usable_payload(base.auth)
        return base._replace(namespaces=(namespace_of(self.admin_namespace),), auth=auth)


def _may_attach(base: Target) -> bool:
    """Return whether `auto` may attach to the server's process: somebody must see that it is done."""
    from nsroom.introspection.attach.opening import is_here
    from nsroom.output.stdio import is_terminal

    return is_terminal() and is_here(base)
