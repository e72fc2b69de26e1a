"""`nsroom top`: watch the namespaces, rooms and sockets of a server, with their rates."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nsroom.cli.admin_options import AdminOptions, Via
from nsroom.cli.connection_options import AnyTargets, ConnectionOptions
from nsroom.cli.display_options import ThemeOption
from nsroom.cli.option_groups import expand
from nsroom.errors import NackError, NsroomError, RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from nsroom.client.target import Target
    from nsroom.output.terminal import Theme


@expand
def top(
    targets: AnyTargets = None,
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the server.")
    ] = 5.0,
    via: Annotated[
        Via,
        typer.Option(
            "--via",
            help="admin: read the admin namespace; events: ask the reference server; auto: try both.",
        ),
    ] = Via.AUTO,
    all: Annotated[bool, typer.Option("--all", help="Also show the admin namespace.")] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Allow actions that change the server: disconnect, join, emit."),
    ] = False,
    admin: AdminOptions,
    theme: ThemeOption = None,
) -> None:
    """Watch the namespaces, rooms and sockets of a server at work.

    Enter opens the selected row and Esc goes back; s sorts, / searches, f filters, F follows the row's events
    in the live view, ? lists the keys. With --write, K disconnects the selected socket or the members of the
    selected room, J joins them to a room, and e emits to them.

    The data comes from the admin namespace of an instrumented server, for all namespaces unless -n names
    some. Without one, nsroom asks with the reference server's event `rooms` once a second, which reports
    rooms and their members but no activity.

    \b
    Examples:
      nsroom top --admin-auth admin         asks for the password
      nsroom top -u https://example.org --admin-auth @admin.txt
      nsroom top -n /chat -n /my-namespace
      nsroom top --write                    K disconnects, J joins, e emits
      nsroom rooms --json --watch           in a pipe
    """
    from nsroom.output.stdio import is_terminal
    from nsroom.tui.top.run import show_admin

    if not is_terminal():
        raise UsageError(
            "top needs a terminal; in a pipe use `nsroom rooms --json --watch` or"
            " `nsroom sockets --json --watch`"
        )
    target = connection.target(*targets or ())
    admin_target, namespaces = admin.target(target), connection.named(target, *targets or ())
    error = None
    if via is Via.EVENTS and write:
        raise UsageError("--write needs the admin namespace: leave out --via events")
    if via is not Via.EVENTS:
        error = _by_admin(
            admin_target, lambda target: show_admin(target, namespaces, all, timeout, write, theme)
        )
        if error is None:
            return
        if via is Via.ADMIN or write:
            raise error
    _by_events(target, timeout, theme, error)


def _by_admin(target: "Target", show: "Callable[[Target], Coroutine[Any, Any, None]]") -> NsroomError | None:
    """Show the admin namespace's data; return the error if the server does not offer it."""
    from nsroom.cli.admin_credentials import run_asking
    from nsroom.errors import CredentialsError

    try:
        run_asking(show, target)
    except CredentialsError:
        raise
    except (RefusedError, WaitError) as error:
        return error
    return None


def _by_events(target: "Target", timeout: float, theme: "Theme | None", first: NsroomError | None) -> None:
    """Show the rooms of the server's events. Raises: the errors of both ways."""
    from nsroom.cli.run import run
    from nsroom.tui.top.run import show_events

    try:
        run(show_events(target, timeout, theme))
    except (NackError, RefusedError, WaitError) as error:
        if first is None:
            raise
        raise error.after(first) from None
