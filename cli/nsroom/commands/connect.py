"""`nsroom connect`: connect to namespaces and watch their events."""

from nsroom.cli.connection_options import AnyTargets, ConnectionOptions
from nsroom.cli.display_options import WatchOptions


def connect(
    targets: AnyTargets = None,
    *,
    connection: ConnectionOptions,
    options: WatchOptions,
) -> None:
    """Connect to namespaces and watch their events live.

    On a terminal this opens the live view, where you can also send events. With --plain it prints readable
    lines and sends what you type: ["event", arg, ...], or text as a message. In a pipe it prints NDJSON,
    one record per line.

    \b
    Examples:
      nsroom connect                              the default server and namespace
      nsroom connect /chat /news                  two namespaces on one connection
      nsroom connect https://example.org/chat -a token=secret
      nsroom connect /chat -C 3 | jq -r .event    exit after three events
      nsroom connect localhost:3000 --message-event "chat message"
      nsroom connect --all --raw --save session.ndjson
      nsroom connect --where 'event~order & arg.0.total>100'
    """
    from nsroom.cli.run import run
    from nsroom.watch import watch

    run(watch(connection.target(*targets or ()), options))
