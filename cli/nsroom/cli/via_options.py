"""Options of commands that see a server from inside, or act on it there."""

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.client.target import Target, namespace_of
from nsroom.errors import UsageError

if TYPE_CHECKING:
    from nsroom.introspection.ways import Way

VARIABLE = "NSROOM_VIA"


class Via(StrEnum):
    """How to reach the rooms of a server; `auto` tries what there is."""

    AUTO = "auto"
    EVENTS = "events"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ViaOptions:
    """How to see a server from inside."""

    via: Annotated[
        str | None,
        typer.Option(
            "--via",
            metavar="WAY",
            help="How to reach the rooms: events of the application, admin, or auto, which tries both."
            " Default: $NSROOM_VIA, else auto.",
        ),
    ] = None
    admin_auth: Annotated[
        str | None,
        typer.Option(
            "--admin-auth",
            metavar="AUTH",
            help="USER:PASSWORD, USER (asks for the password), JSON, or @FILE. Default: $NSROOM_ADMIN.",
        ),
    ] = None
    admin_session: Annotated[
        str | None,
        typer.Option("--admin-session", metavar="ID", help="A session id of the Admin UI, or @FILE with it."),
    ] = None
    admin_namespace: Annotated[
        str, typer.Option("--admin-namespace", metavar="NS", help="The admin namespace.")
    ] = "/admin"

    def ways(self, base: Target, write: bool = True) -> "list[Way]":
        """Return the ways to see the server from inside, in the order in which to try them.

        There are none with `--via events`. Raises: UsageError.
        """
        from nsroom.introspection.ways import AdminWay

        return [] if self.kind(write) is Via.EVENTS else [AdminWay(self._admin_target(base))]

    def kind(self, write: bool = True) -> Via:
        """Return the kind of way; without `write` the environment names none. Raises: UsageError."""
        given = self.via or (os.environ.get(VARIABLE) if write else None) or Via.AUTO
        try:
            return Via(given)
        except ValueError:
            option = "--via" if self.via else f"${VARIABLE}"
            raise UsageError(f"{option}: no such way: it is one of {', '.join(Via)}") from None

    def _admin_target(self, base: Target) -> Target:
        """Return the admin namespace of the same server; without admin credentials its payload is `--auth`.

        Raises: UsageError.
        """
        from nsroom.cli.admin_credentials import payload, usable_payload

        auth = payload(self.admin_auth, self.admin_session) or usable_payload(base.auth)
        return replace(base, namespaces=(namespace_of(self.admin_namespace),), auth=auth)
