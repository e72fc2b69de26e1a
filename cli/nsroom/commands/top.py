"""`nsroom top`: watch the namespaces, rooms and sockets of a server, with their rates."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nsroom.cli.connection_options import AnyTargets, ConnectionOptions
from nsroom.cli.display_options import ThemeOption
from nsroom.cli.via_options import Via, ViaOptions
from nsroom.errors import NackError, NsroomError, RefusedError, UsageError, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from nsroom.client.target import Target
    from nsroom.introspection.ways import Way
    from nsroom.output.terminal import Theme


def top(
    targets: AnyTargets = None,
    *,
    connection: ConnectionOptions,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for the server.")
    ] = 5.0,
    all: Annotated[bool, typer.Option("--all", help="Also show the admin namespace.")] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Allow actions that change the server: disconnect, join, emit."),
    ] = False,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="[HOST]:PORT",
            help="Serve the figures to Prometheus at /metrics instead of showing them; needs no terminal.",
        ),
    ] = None,
    via: ViaOptions,
    theme: ThemeOption = None,
) -> None:
    """Watch the namespaces, rooms and sockets of a server at work.

    Enter opens the selected row and Esc goes back; s sorts, / searches, f filters, F follows the row's events
    in the live view, ? lists the keys. With --write, K disconnects the selected socket or the members of the
    selected room, J joins them to a room, and e emits to them.

    The data comes from the admin namespace of an instrumented server, with --via attach from a Node process
    of yours on this machine, or with --via redis://HOST from all servers of a cluster, for all namespaces
    unless -n names some. Otherwise nsroom asks with the reference server's event `rooms` once a second,
    which reports rooms and their members but no activity.

    \b
    Examples:
      nsroom top --admin-auth admin         asks for the password
      nsroom top -u https://example.org --admin-auth @admin.txt
      nsroom top -n /chat -n /my-namespace
      nsroom top --write                    K disconnects, J joins, e emits
      nsroom top --via attach
      nsroom top --via redis://localhost --metrics :9464    for Prometheus
      nsroom rooms --json --watch           in a pipe
    """
    from nsroom.output.stdio import is_terminal

    if metrics is not None and (write or theme):
        raise UsageError("--metrics shows no screen: leave out --write and --theme")
    if metrics is not None:
        target = connection.target(*targets or ())
        _export(metrics, via.ways(target), connection.named(target, *targets or ()), all, timeout)
        return
    if not is_terminal():
        raise UsageError(
            "top needs a terminal; in a pipe use `nsroom rooms --json --watch` or"
            " `nsroom sockets --json --watch`"
        )
    from nsroom.tui.top.run import show_inside

    target = connection.target(*targets or ())
    namespaces = connection.named(target, *targets or ())
    kind, ways = via.kind(), via.ways(target)
    if kind is Via.EVENTS and write:
        raise UsageError("--write needs a way into the server: leave out --via events")
    error = None
    if ways:
        server = via.place(target)
        error = _try(ways, lambda way: show_inside(way, server, namespaces, all, timeout, write, theme))
        if error is None:
            return
        if kind is not Via.AUTO or write:
            raise error
    _by_events(target, timeout, theme, error)


def _export(
    metrics: str, ways: "Sequence[Way]", namespaces: tuple[str, ...], all: bool, timeout: float
) -> None:
    from nsroom.cli.admin_credentials import run_first
    from nsroom.client.listening import parse_listen
    from nsroom.introspection.exporter import export
    from nsroom.output.stdio import say

    listen = parse_listen("--metrics", metrics)
    run_first(lambda way: export(way, listen, namespaces, all, timeout, say), ways)


def _try(ways: "Sequence[Way]", show: "Callable[[Way], Coroutine[Any, Any, None]]") -> NsroomError | None:
    """Show the server from inside; return the error if it offers no way to that."""
    from nsroom.cli.admin_credentials import run_first
    from nsroom.errors import CredentialsError

    try:
        run_first(show, ways)
    except CredentialsError:
        raise
    except (RefusedError, WaitError) as error:
        return error
    return None


def _by_events(target: "Target", timeout: float, theme: "Theme | None", first: NsroomError | None) -> None:
    """Show the rooms of the server's events. Raises: the errors of all ways."""
    from nsroom.cli.run import run
    from nsroom.tui.top.run import show_events

    try:
        run(show_events(target, timeout, theme))
    except (NackError, RefusedError, WaitError) as error:
        if first is None:
            raise
        raise error.also(first) from None
