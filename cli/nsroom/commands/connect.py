"""`nsroom connect`: be in namespaces and watch every event."""

from typing import Annotated

import typer

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.display_options import WatchOptions
from nsroom.cli.option_groups import expand


@expand
def connect(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET]...", help="/namespace, URL or :PORT/namespace.")
    ] = None,
    *,
    connection: ConnectionOptions,
    options: WatchOptions,
) -> None:
    """Be in namespaces and watch every event live.

    On a terminal this is the live view, where you can send events too; with --plain they are readable
    lines, and what you type is sent: text as a `message`, or ["event", arg, ...]. In a pipe they are
    NDJSON, one record a line.

    \b
    Examples:
      nsroom connect                              the default server and namespace
      nsroom connect /chat /news                  two of them on one connection
      nsroom connect https://example.org/chat -a token=secret
      nsroom connect /chat -C 3 | jq -r .event    three events, then the end
      nsroom connect --all --raw --save session.ndjson
      nsroom connect --where 'event~order & arg.0.total>100'
    """
    from nsroom.cli.run import run
    from nsroom.watch import watch

    run(watch(connection.target(targets or ()), options))
