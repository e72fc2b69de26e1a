"""Check that a scenario can be a load, and find the server that it loads."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nsroom.bench.plan import Load
from nsroom.bench.preflight import check_connection, raise_file_limit, require_consent, resolve
from nsroom.bench.report import Report
from nsroom.bench.script.plan import ScriptPlan, clients_of, name_of
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.client.auth_command import authenticated
from nsroom.client.target import Target, require_tcp
from nsroom.errors import UsageError
from nsroom.output.stdio import say
from nsroom.scenarios.check import GROUP, check_values
from nsroom.scenarios.runner import target_of
from nsroom.scenarios.script import SERVER, Line, Script, ScriptError
from nsroom.scenarios.variables import fill_word, names_in, parse_values
from nsroom.scenarios.verbs import parse_words

_MAX_LINES = 400
"""Lines of a scenario: the histograms of all must fit into an answer of a worker."""
_UNKNOWN = "1"
"""In place of a value that only a run defines."""


def check_options(target: str | None, load: Load, given: Iterable[tuple[str, object]]) -> None:
    """Check that there are no options for what the scenario says itself. Raises: UsageError."""
    if target is not None and target.startswith("/"):
        raise UsageError(f"--script names the namespaces itself: leave out {target}")
    default = Load(load.clients)
    numbers = [
        (f"--{name.replace('_', '-')}", getattr(load, name) != getattr(default, name))
        for name in ("rooms", "in_flight", "size")
    ]
    for option, value in (*given, *numbers):
        if value:
            raise UsageError(f"--script says what is sent: leave out {option}")


def load_plan(
    file: str, values: Sequence[str], options: ConnectionOptions, load: Load, where: Target
) -> ScriptPlan:
    """Return the plan of a scenario's load, checked as far as it can be before connecting.

    `where` is the target of the options. Raises: UsageError, with the line and the column of what a load
    cannot do.
    """
    if GROUP in parse_values(values):
        raise UsageError("--set group: bench numbers the groups itself")
    script = ScriptPlan(file, values, options, load, 1).script()
    check_values([script], parse_values(values))
    _check_lines(script)
    plan = ScriptPlan(file, values, options.with_auth(where.auth), load, clients_of(script))
    _check_load(plan)
    require_tcp(_find_target(plan).unix, "bench")
    return plan


async def prepare(plan: ScriptPlan, where: Target, yes: bool) -> tuple[ScriptPlan, Report]:
    """Check that the server can be reached and may be loaded; return the plan, and the report to fill.

    Raises: NsroomError.
    """
    plan = replace(plan, options=plan.options.with_auth((await authenticated(where)).auth))
    target = _find_target(plan)
    raise_file_limit(plan.load)
    require_consent(target, await resolve(target), yes)
    await check_connection(target)
    load = replace(plan.load, clients=plan.groups * plan.clients)
    if load.clients != plan.load.clients:
        say(f"{load.clients:,} clients: {plan.groups:,} groups of {plan.clients}")
    lines = tuple(dict.fromkeys(name_of(line) for line in plan.script().lines))
    return plan, Report(target.place, "", load, script=plan.file, groups=plan.groups, lines=lines)


def _check_lines(script: Script) -> None:
    for line in script.lines:
        if line.client == SERVER:
            raise ScriptError(line, 0, "bench loads a server that runs: leave out the lines of `server`")
    if len(script.lines) > _MAX_LINES:
        raise UsageError(
            f"{script.file}: bench takes at most {_MAX_LINES} lines, but it has {len(script.lines)}"
        )


def _check_load(plan: ScriptPlan) -> None:
    load = plan.load
    if plan.groups < load.workers:
        needed = plan.clients * load.workers
        raise UsageError(
            f"--clients {load.clients}: at least {needed} are needed, "
            f"{plan.clients} of the scenario for each worker"
        )
    if load.ramp and load.rate:
        raise UsageError("--ramp has no effect here: with --rate, runs start evenly")


def _find_target(plan: ScriptPlan) -> Target:
    """Return how a client connects, one that the server accepts if any.

    Raises: UsageError if one connects to another server.
    """
    script = plan.script()
    connects = [(index, line) for index, line in enumerate(script.lines) if line.verb == "connect"]
    connects.sort(key=lambda each: each[0] in script.refusals)
    targets = [(line, _target(plan, script, line)) for _, line in connects]
    first = targets[0][1]
    for line, target in targets:
        if (target.url, target.unix) != (first.url, first.unix):
            start = line.words[0].start if line.words else line.start
            raise ScriptError(
                line, start, f"bench loads one server, {first.place}, but this is {target.place}"
            )
    return first


def _target(plan: ScriptPlan, script: Script, line: Line) -> Target:
    values = {name: _UNKNOWN for text in line.texts for name, _ in names_in(text)} | dict(script.values)
    words = [fill_word(text, values, plain=True) for text in line.texts]
    return target_of(parse_words(line.verb, words), plan.options)
