"""`nsroom proxy`: relay a browser's traffic to its server, and show every packet."""

import contextlib
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import CaCert, Cert, ConnectTimeout, Insecure, Key
from nsroom.cli.display_options import SID_CELLS
from nsroom.cli.relay_options import ProxyOptions
from nsroom.errors import NsroomError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsroom.output.sinks import Route
    from nsroom.proxy.interceptor import Interceptor
    from nsroom.proxy.server import Plan, Proxy
    from nsroom.proxy.totals import Totals


def proxy(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The server: a URL or :PORT.")],
    *,
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="[HOST]:PORT",
            help="Address for clients to connect to; port 0 picks a free one.",
        ),
    ] = ":3001",
    origin: Annotated[
        str | None,
        typer.Option(
            "--origin",
            metavar="ORIGIN",
            help="Replace the Origin of pages of this machine by this, e.g. http://localhost:3000.",
        ),
    ] = None,
    insecure: Insecure = False,
    cacert: CaCert = None,
    cert: Cert = None,
    key: Key = None,
    connect_timeout: ConnectTimeout = 10.0,
    drop: Annotated[
        str | None,
        typer.Option(
            "--drop",
            metavar="SHARE",
            help="Drop this share of WebSocket packets, e.g. 5% or 0.05; polling is not affected. "
            "This turns off WebSocket compression.",
        ),
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option("--delay", metavar="TIME", help="Delay packets by this time, e.g. 200ms or 1.5s."),
    ] = None,
    fault_where: Annotated[
        str | None,
        typer.Option(
            "--fault-where",
            metavar="EXPR",
            help="Apply --drop and --delay to the packets that match, as for --where. "
            "Default: events and acknowledgements.",
        ),
    ] = None,
    hold: Annotated[
        bool,
        typer.Option(
            "--hold",
            help="Keep the connections of a client or server that is stopped, as in a debugger. "
            "This changes the pingTimeout that clients receive, and turns off WebSocket compression.",
        ),
    ] = False,
    intercept: Annotated[
        str | None,
        typer.Option(
            "--intercept",
            metavar="EXPR",
            help="Let packets that match, as for --where, wait until you forward, edit or drop them. This "
            "turns off WebSocket compression.",
        ),
    ] = None,
    stdin: Annotated[
        bool,
        typer.Option(
            "--stdin",
            help="With --intercept, instead of the view: the lines of stdin are decisions, as "
            '{"intercept": 1, "action": "drop"}, and packets to send.',
        ),
    ] = False,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary",
            help="Print sessions, events, missing acknowledgements and refusals to stderr at the end; "
            "with --json as JSON.",
        ),
    ] = False,
    options: ProxyOptions,
) -> None:
    """Relay a browser's traffic, and show every packet.

    On a terminal this opens the live view, which shows the client of each packet; in a pipe it prints
    NDJSON. Long polling, WebSockets and other HTTP pass byte for byte, except that the server sees its own
    address in Host, Origin and Referer, and the page the proxy's in redirects and cookies. Requests for
    other names than this machine's are refused. Each record has the sid of the Engine.IO session, so
    --where can select one client. Credentials are forwarded but never shown or recorded.

    \b
    Examples:
      nsroom proxy :3000                    then open http://127.0.0.1:3001
      nsroom proxy https://example.org --listen :8080
      nsroom proxy :3000 --where 'kind=ack & rtt>100'
      nsroom proxy :3000 --plain --summary
      nsroom proxy :3000 --save session.ndjson | jq -c '[.sid, .kind, .event]'
      nsroom proxy :3000 --intercept 'event=order'
      nsroom proxy :3000 --delay 300ms --drop 5% --fault-where 'event=price'
      nsroom proxy :3000 --hold             while the page stands at a breakpoint
    """
    from nsroom.cli.durations import parse_duration
    from nsroom.cli.run import run
    from nsroom.client.listening import parse_listen
    from nsroom.client.target import require_tcp, resolve
    from nsroom.filters import parse
    from nsroom.proxy.faults import Faults, parse_share
    from nsroom.proxy.server import Plan
    from nsroom.proxy.totals import Totals
    from nsroom.watch import is_live

    if intercept and (drop or delay or hold):
        raise UsageError("--intercept does not go with --drop, --delay and --hold: leave them out")
    if stdin and not intercept:
        raise UsageError("--stdin needs --intercept: it decides about packets that wait")
    if intercept and not stdin and not is_live(options):
        raise UsageError("--intercept needs the live view or --stdin: nobody else could decide")
    if stdin and options.plain:
        raise UsageError("--stdin needs records, which have the ids of packets that wait: leave --plain out")
    if fault_where and not (drop or delay):
        raise UsageError("--fault-where needs --drop or --delay")
    url, namespaces, said = resolve((target,), None, ())
    require_tcp(said.unix, "proxy")
    if said.query:
        raise UsageError("the proxy relays requests as they are: leave out '?' and the rest")
    if namespaces != ("/",):
        raise UsageError(
            f"the proxy relays every namespace: name only the server, and add --where ns={namespaces[0]}"
        )
    faults = Faults(
        drop=parse_share(drop) if drop else 0.0,
        delay=parse_duration("--delay", delay) if delay else 0.0,
        where=parse(fault_where) if fault_where else None,
    )
    plan = Plan(url, insecure, cacert, cert, key, connect_timeout, _checked(origin), faults, hold)
    plan = replace(plan, intercept=parse(intercept) if intercept else None)
    totals = Totals(hold)
    try:
        # Lines to read have no ids of packets that wait.
        shown = options.replace(json=True) if stdin else options
        run(_relay(plan, parse_listen("--listen", listen), shown, totals, stdin))
    finally:
        if summary:
            _print(totals, options.json)


def _print(totals: "Totals", as_json: bool) -> None:
    from nsroom.output.stdio import say

    if as_json:
        sys.stderr.write(json.dumps(totals.to_json()) + "\n")
        return
    for line in totals.lines():
        say(line)


def _checked(origin: str | None) -> str | None:
    if origin is not None and not (origin.isascii() and origin.isprintable()):
        raise UsageError(f"--origin {origin!r}: write it as https://example.org")
    return origin


async def _relay(
    plan: "Plan", where: tuple[str, int], options: ProxyOptions, totals: "Totals", stdin: bool
) -> None:
    from nsroom.watch import is_live, within

    if is_live(options) and not stdin:
        from nsroom.tui.proxy_view import show

        await within(options, show(plan, where, options, totals))
    else:
        await _relay_lines(plan, where, options, totals)


async def _relay_lines(plan: "Plan", where: tuple[str, int], options: ProxyOptions, totals: "Totals") -> None:
    from nsroom.output.stdio import say
    from nsroom.output.writer import Output
    from nsroom.proxy.interceptor import always_shown, settled_only
    from nsroom.proxy.server import Proxy
    from nsroom.watch import reader_closed, routes_to, run_until_done, within

    output = Output(sys.stdout.fileno())
    async with contextlib.AsyncExitStack() as stack:
        proxy = Proxy(plan, say, totals, options.raw)
        keep = options.keep() if proxy.interceptor is None else always_shown(options.keep())
        routes = routes_to(output, options, keep, stack, SID_CELLS, notify=options.notify)
        if proxy.interceptor is not None:
            routes[1:] = [(settled_only(matching), sink) for matching, sink in routes[1:]]
        url = await stack.enter_async_context(proxy.listening(*where))
        say(f"listening on {url}, relaying to {plan.url}")
        showing = _show(proxy, routes, options.count)
        background = [reader_closed(output), proxy.failed()]
        if proxy.interceptor is not None:
            background.append(_obey_stdin(proxy.interceptor))
        try:
            await within(options, run_until_done(showing, *background))
        finally:
            if proxy.interceptor is not None:
                await _finish(proxy.interceptor, routes[1:])


async def _obey_stdin(interceptor: "Interceptor") -> None:
    """Do what the lines of stdin say; at its end, let nothing wait any more."""
    from nsroom.cli.stdin import lines
    from nsroom.output.stdio import complain
    from nsroom.proxy.decisions import parse_command

    number = 0
    async for batch in lines(sys.stdin.fileno()):
        for line in batch:
            number += 1
            try:
                if line.strip():
                    interceptor.obey(parse_command(line))
            except (NsroomError, ValueError) as error:
                complain(f"stdin, line {number}: {error}")
    interceptor.stop("stdin ended")


async def _finish(interceptor: "Interceptor", recordings: "Sequence[Route]") -> None:
    """Forward what waits, and record that."""
    records = await interceptor.finish()
    for keep, sink in recordings:
        await sink.write(list(filter(keep, records)))


async def _show(proxy: "Proxy", routes: "Sequence[Route]", count: int | None) -> None:
    from nsroom.output.sinks import pump

    await pump(proxy.records(), routes, count)
