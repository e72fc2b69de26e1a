"""The options of an instrumented server."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

import typer

from nsroom.client.target import Target, namespace_of


class Via(StrEnum):
    """How to reach the rooms of a server. `auto`: the application's own events, else the admin namespace."""

    AUTO = "auto"
    EVENTS = "events"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """How to get into the admin namespace of an instrumented server."""

    admin_auth: Annotated[
        str | None,
        typer.Option(
            "--admin-auth",
            metavar="AUTH",
            help="USER:PASSWORD, USER to be asked, JSON, or @FILE with one of them. Default: $NSROOM_ADMIN.",
        ),
    ] = None
    admin_session: Annotated[
        str | None,
        typer.Option("--admin-session", metavar="ID", help="A session id of the admin, or @FILE with it."),
    ] = None
    admin_namespace: Annotated[
        str, typer.Option("--admin-namespace", metavar="NS", help="The admin namespace.")
    ] = "/admin"

    def target(self, base: Target) -> Target:
        """Turn to the admin namespace of the same server; without credentials `--auth` is the payload.

        Raises: UsageError.
        """
        from nsroom.cli.admin_credentials import fitting, payload

        auth = payload(self.admin_auth, self.admin_session) or fitting(base.auth)
        return replace(base, namespaces=(namespace_of(self.admin_namespace),), auth=auth)
