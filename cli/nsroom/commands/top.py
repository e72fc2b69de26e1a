"""`nsroom top`: see what a server has, and how much each part of it does."""

from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.admin_options import AdminOptions, Via
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import NackError, NsroomError, RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from nsroom.client.target import Target


@expand
def top(
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the server.")
    ] = 5.0,
    via: Annotated[
        Via,
        typer.Option("--via", help="Read the admin namespace, or ask with the reference server's events."),
    ] = Via.AUTO,
    all: Annotated[bool, typer.Option("--all", help="Also the admin namespace itself.")] = False,
    admin: AdminOptions,
) -> None:
    """Watch the namespaces, rooms and sockets of a server at work.

    Enter goes into what is selected and Esc comes back; s sorts, / filters, ? lists the keys. All this
    is what the admin namespace of an instrumented server tells, of all namespaces, unless some are named.
    Where there is none, nsroom asks with the reference server's event `rooms` once a second: that tells of
    rooms and their members, not of what they do.

    \b
    Examples:
      nsroom top --admin-auth admin         and it asks for the password
      nsroom top -u https://example.org --admin-auth @admin.txt
      nsroom top -n /chat -n /my-namespace
      nsroom rooms --json --watch           in a pipe
    """
    from nsroom.output.stdio import is_terminal

    if not is_terminal():
        raise UsageError(
            "top needs a terminal: in a pipe there are `nsroom rooms --json --watch` and"
            " `nsroom sockets --json --watch`"
        )
    target = connection.target()
    secured, namespaces = admin.target(target), connection.named(target)
    fault = None
    if via is not Via.EVENTS:
        fault = _by_admin(secured, namespaces, all, timeout)
        if fault is None:
            return
        if via is Via.ADMIN:
            raise fault
    _by_events(target, timeout, fault)


def _by_admin(target: "Target", namespaces: tuple[str, ...], all: bool, timeout: float) -> NsroomError | None:
    """Show it by the admin namespace; give what speaks against that."""
    from nsroom.cli.admin_credentials import run_asking
    from nsroom.errors import CredentialsError
    from nsroom.tui.top.run import show_admin

    try:
        run_asking(lambda proven: show_admin(proven, namespaces, all, timeout), target)
    except CredentialsError:
        raise
    except (RefusedError, WaitError) as error:
        return error
    return None


def _by_events(target: "Target", timeout: float, fault: NsroomError | None) -> None:
    """Show it by the server's events. Raises: what speaks against both ways."""
    from nsroom.cli.run import run
    from nsroom.tui.top.run import show_events

    try:
        run(show_events(target, timeout))
    except (NackError, RefusedError, WaitError) as error:
        if fault is None:
            raise
        raise type(error)(f"{fault}; and {error}") from None
