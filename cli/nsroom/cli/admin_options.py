"""Options of commands that use the admin namespace of an instrumented server."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

import typer

from nsroom.client.target import Target, namespace_of


class Via(StrEnum):
    """How to reach the rooms of a server; `auto` tries the application's events, then the admin namespace."""

    AUTO = "auto"
    EVENTS = "events"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """How to connect to the admin namespace of an instrumented server."""

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

    def target(self, base: Target) -> Target:
        """Return the admin namespace of the same server; without admin credentials its payload is `--auth`.

        Raises: UsageError.
        """
        from nsroom.cli.admin_credentials import payload, usable_payload

        auth = payload(self.admin_auth, self.admin_session) or usable_payload(base.auth)
        return replace(base, namespaces=(namespace_of(self.admin_namespace),), auth=auth)
