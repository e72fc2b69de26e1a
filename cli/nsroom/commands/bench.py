"""`nsroom bench`: load a server and measure its latencies."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import AnyTarget, ConnectionOptions
from nsroom.cli.declarations import Options
from nsroom.errors import ExitCode, UsageError
from nsroom.output.stdio import complain, put

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from nsroom.bench.plan import Events, Load, Plan, Scenario
    from nsroom.bench.report import Report
    from nsroom.bench.script.plan import ScriptPlan
    from nsroom.bench.thresholds import ErrorThreshold, LatencyThreshold
    from nsroom.client.target import Target


class LoadOptions(Options):
    """The amount of load."""

    clients: Annotated[
        int, typer.Option("-c", "--clients", min=1, metavar="N", help="Connections to open.")
    ] = 100
    rooms: Annotated[int, typer.Option(min=1, metavar="N", help="Rooms to spread the clients over.")] = 1
    workers: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Processes to spread the clients over.")
    ] = 1
    ramp: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Spread connecting over this time. Default: as fast as possible."
        ),
    ] = 0.0
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="N",
            help="Events per second of all clients, or runs of --script. "
            "Default: each sends the next one when answered.",
        ),
    ] = None
    in_flight: Annotated[
        int,
        typer.Option(min=1, max=1000, metavar="N", help="Without --rate: unanswered events per client."),
    ] = 1
    duration: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Duration of each scenario.")
    ] = 10.0
    size: Annotated[
        int, typer.Option(min=0, max=1_000_000, metavar="N", help="Characters of {text} in the arguments.")
    ] = 100
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Count longer latencies as errors. With --script: time for the last runs to end.",
        ),
    ] = 5.0

    def load(self) -> "Load":
        """Return the load, not checked yet."""
        from nsroom.bench.plan import Load

        return Load(**vars(self))


class EventOptions(Options):
    """The events that the clients emit."""

    event: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The event of ack. Default: who."),
    ] = None
    args: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="Arguments of --event, with {room} and {text} in them; an array is several arguments.",
        ),
    ] = None
    room_event: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The event of fan-out, sent to a room. Default: message."),
    ] = None
    room_args: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help="Arguments of --room-event, with {text} in them, which must reach the room."
        ),
    ] = None
    join_event: Annotated[
        str | None, typer.Option(metavar="NAME", help="The event that asks to join. Default: join.")
    ] = None
    join_args: Annotated[
        str | None, typer.Option(metavar="JSON", help="Arguments of --join-event, with {room} in them.")
    ] = None
    join_preset: Annotated[
        str | None, typer.Option(metavar="PRESET", help="A known convention, as for `nsroom join`.")
    ] = None

    def given(self) -> "list[tuple[str, object]]":
        """Return the options with their values."""
        return [(f"--{name.replace('_', '-')}", value) for name, value in vars(self).items()]

    def events(self) -> "Events":
        """Return the events, checked. Raises: UsageError."""
        from nsroom.bench.events import parse_events

        return parse_events(
            (self.event, self.args),
            (self.room_event, self.room_args),
            (self.join_preset, self.join_event, self.join_args),
        )


class ThresholdOptions(Options):
    """The limits to pass."""

    max_p50: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME",
            help="Exit 1 if p50 exceeds this, e.g. 20ms; connect=20ms limits only connecting. Repeatable.",
        ),
    ] = None
    max_p90: Annotated[list[str] | None, typer.Option(metavar="TIME", help="The same for p90.")] = None
    max_p99: Annotated[list[str] | None, typer.Option(metavar="TIME", help="The same for p99.")] = None
    max_p999: Annotated[list[str] | None, typer.Option(metavar="TIME", help="The same for p99.9.")] = None
    max_errors: Annotated[
        str, typer.Option(metavar="N|SHARE", help="Exit 1 if there are more errors, e.g. 10 or 0.5%.")
    ] = "0"

    def thresholds(self, names: "Mapping[str, Sequence[str]]") -> "list[LatencyThreshold | ErrorThreshold]":
        """Return the parsed limits of what has these names. Raises: UsageError."""
        from nsroom.bench.thresholds import parse_errors, parse_latency

        given = {50: self.max_p50, 90: self.max_p90, 99: self.max_p99, 99.9: self.max_p999}
        options = {percent: f"--max-p{percent:g}".replace(".", "") for percent in given}
        latencies = [
            parse_latency(options[percent], percent, text, names)
            for percent, texts in given.items()
            for text in texts or ()
        ]
        return [*latencies, parse_errors(self.max_errors)]


def bench(
    target: AnyTarget = None,
    *,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="connect, ack or fan-out; repeatable. Default: all. connect always runs."
        ),
    ] = None,
    script: Annotated[
        str | None,
        typer.Option(
            "--script", metavar="FILE", help="Run this scenario of `nsroom test`, in groups of its clients."
        ),
    ] = None,
    set: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="The value of {key} in --script; repeatable."),
    ] = None,
    options: LoadOptions,
    events: EventOptions,
    limits: ThresholdOptions,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="FILE", help="Save the histograms in HdrHistogram's log format."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --save overwrite its file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Load a server that is not on this machine.")] = False,
    connection: ConnectionOptions,
) -> None:
    """Load a server with many clients, and measure its latencies.

    Three scenarios, one after the other: connecting; the round trip of an event and its acknowledgement; and
    fan-out from a sender to each member of its room. With --rate, latencies count from the time an event was
    due. It emits the events of `nsroom serve`; for other servers use --event, --room-event and --join-event.
    WebSocket only. Exits with 1 if a limit is exceeded or there are errors.

    With --script the load is a scenario of `nsroom test`: groups of its clients run it again and again, each
    with its number as {group}, and every line has its latency. A line that fails is an error.

    \b
    Examples:
      nsroom bench
      nsroom bench :3001/chat -c 2000 --rooms 20 --rate 500 --max-p99 50ms
      nsroom bench --scenario ack --event echo --args '"{text}"' --json
      nsroom bench --room-event say --room-args '["{room}","{text}"]'
      nsroom bench https://example.org -c 5000 --workers 4 --ramp 60 --yes
      nsroom bench :3000 --script lobby.nsroom -c 500 --max-p99 call=50ms
    """
    from nsroom.bench.thresholds import scenario_names
    from nsroom.cli.run import run
    from nsroom.client.target import require_tcp

    load, sink = options.load(), _Sink(json, save, force)
    if script is not None:
        from nsroom.bench.script.loading import check_options, load_plan

        check_options(target, load, [("--scenario", scenario), *events.given()])
        if target is not None and connection.url is None:
            connection = connection.replace(url=target)
        where = connection.target()
        plan = load_plan(script, set or [], connection, load, where)
        _bench_script(plan, where, limits, yes, sink)
        return
    if set:
        raise UsageError("--set needs --script")
    load.check()
    parsed, chosen = events.events(), _scenarios(scenario or [])
    thresholds = limits.thresholds(scenario_names(chosen))
    where = connection.target(target)
    require_tcp(where.unix, "bench")
    run(_bench(where, load, parsed, chosen, thresholds, yes, sink))


def _bench_script(
    plan: "ScriptPlan", where: "Target", limits: ThresholdOptions, yes: bool, sink: "_Sink"
) -> None:
    from nsroom.bench.script.loading import prepare
    from nsroom.bench.script.plan import names_of
    from nsroom.bench.script.run import run_load
    from nsroom.cli.run import run

    thresholds = limits.thresholds(names_of(plan.script(), plan.load))

    async def bench() -> None:
        prepared, report = await prepare(plan, where, yes)
        await _measure(lambda: run_load(prepared, report), report, thresholds, sink)

    run(bench())


def _scenarios(names: "Sequence[str]") -> "list[Scenario]":
    from nsroom.bench.plan import Scenario

    for name in names:
        if name not in list(Scenario):
            raise UsageError(f"unknown scenario {name!r}: choose {', '.join(Scenario)}")
    return [Scenario(name) for name in names] or list(Scenario)


@dataclass(frozen=True, slots=True)
class _Sink:
    """The outputs of the report."""

    json: bool
    save: str | None
    force: bool

    def open(self) -> int | None:
        """Open the file before anything is sent. Raises: UsageError, OutputError."""
        from nsroom.output.recording import create

        return create(self.save, self.force) if self.save else None

    def write(self, report: "Report", file: int | None) -> None:
        """Write the report. Raises: OutputError, Stopped."""
        from nsroom.bench.text_report import render
        from nsroom.output.ndjson import encode_value

        if file is not None:
            _keep(report, file, str(self.save))
        put(encode_value(report.to_json()) if self.json else render(report))


def _keep(report: "Report", file: int, name: str) -> None:
    import os

    from nsroom.errors import OutputError

    try:
        with os.fdopen(file, "w") as log:
            log.writelines(f"{line}\n" for line in report.log())
    except OSError as error:
        raise OutputError(f"cannot write to {name}: {error.strerror}") from error


async def _bench(
    target: "Target",
    load: "Load",
    events: "Events",
    scenarios: "Sequence[Scenario]",
    thresholds: "Sequence[LatencyThreshold | ErrorThreshold]",
    yes: bool,
    sink: _Sink,
) -> None:
    from nsroom.bench.report import Report
    from nsroom.bench.run import run_scenarios
    from nsroom.client.auth_command import authenticated

    plan = await _prepared(await authenticated(target), load, events, yes)
    report = Report(target.place, plan.endpoint.namespace, load)
    await _measure(lambda: run_scenarios(plan, scenarios, report), report, thresholds, sink)


async def _measure(
    fill: "Callable[[], Awaitable[None]]",
    report: "Report",
    thresholds: "Sequence[LatencyThreshold | ErrorThreshold]",
    sink: _Sink,
) -> None:
    """Fill the report and print it, also if that ends early. Raises: typer.Exit if a limit is exceeded."""
    from nsroom.bench.thresholds import missed

    file = sink.open()
    try:
        await fill()
        report.missed = missed(thresholds, report)
    finally:
        if report.results:
            sink.write(report, file)
    for miss in report.missed:
        complain(f"missed: {miss}")
    if report.missed:
        raise typer.Exit(ExitCode.NO)


async def _prepared(target: "Target", load: "Load", events: "Events", yes: bool) -> "Plan":
    """Check that the server can be reached and may be loaded; return the plan."""
    import os

    from nsroom.bench.plan import Plan, endpoint_of
    from nsroom.bench.preflight import (
        check_connection,
        first_reachable,
        raise_file_limit,
        require_consent,
        resolve,
    )
    from nsroom.client.target import Transport

    raise_file_limit(load)
    endpoint_of(target, "")  # raises UsageError before anything is sent
    found = await resolve(target)
    require_consent(target, found, yes)
    await check_connection(target._replace(transport=Transport.WEBSOCKET))
    endpoint = endpoint_of(target, await first_reachable(target, found))
    return Plan(endpoint, load, events, 0, os.urandom(4).hex())
