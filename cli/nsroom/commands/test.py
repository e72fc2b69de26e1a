"""`nsroom test`: run scenarios, command lines of several clients with expectations."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.errors import DataError, OutputError, UsageError
from nsroom.output.stdio import complain, detail, is_quiet, put, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsroom.record import Json, Record
    from nsroom.scenarios.result import Result
    from nsroom.scenarios.runner import Plan
    from nsroom.scenarios.script import Script


def test(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|DIR]... [TARGET]",
            help="Scenarios (*.nsroom) or folders of them, default: this folder; and the server.",
            show_default=False,
        ),
    ] = None,
    *,
    junit: Annotated[
        str | None, typer.Option("--junit", metavar="FILE", help="Also write the results as JUnit XML.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="NAME", help="Run only scenarios with this in their name; repeatable."
        ),
    ] = None,
    set: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="The value of {key} in the scenarios; repeatable."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=64, metavar="N", help="Run N scenarios at the same time.")
    ] = 1,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="DIR", help="Record every client to a file in this folder."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --save overwrite its files.")] = False,
    new: Annotated[
        Path | None, typer.Option("--new", metavar="FILE", help="Print a scenario made from a recording.")
    ] = None,
    connection: ConnectionOptions,
) -> None:
    """Run scenarios: what several clients do and should receive.

    A line is the client's name and a command: connect, join, leave, emit, call, reply, disconnect; or expect,
    never, wait. Everything is checked before anything is sent. Exits with 1 if an expectation fails, 2 for a
    bad line. In a pipe it prints the records of all clients, each with its client in `data`.

    \b
    Examples:
      nsroom test lobby.nsroom :3000
      nsroom test tests/ staging --junit report.xml --jobs 4
      nsroom test --only login --set user=ann --save recordings
      nsroom test --new session.ndjson > session.nsroom
    """
    from nsroom.cli.run import run
    from nsroom.scenarios.runner import Plan
    from nsroom.scenarios.variables import parse_values

    if new is not None:
        _print_new(new)
        return
    files, target = _split(paths or [])
    if target is not None and connection.url is None:
        connection = connection.replace(url=target)
    common = connection.target()  # a bad option is reported before anything is sent
    if "-" in (connection.auth or ()):  # stdin can be read once, but every client reads the options
        connection = connection.with_auth(common.auth)
    if save is not None and not force and Path(save).is_dir() and any(Path(save).iterdir()):
        raise UsageError(f"--save {save}: the folder is not empty; choose another, or add --force")
    scripts = _load(files, only or [], parse_values(set or []))
    plan = Plan(connection, detail, folder=save, force=force)
    raise typer.Exit(run(_test(scripts, plan, jobs, junit)))


def _print_new(file: Path) -> None:
    """Print a scenario made from the readable records. Raises: DataError if there are others."""
    from contextlib import ExitStack

    from nsroom.capture.recorded import salvage
    from nsroom.output.recording import open_file
    from nsroom.record import Record
    from nsroom.scenarios.writing import write

    with ExitStack() as stack:
        items = [item for _, item in salvage(open_file(file, stack))]
    records = [item for item in items if isinstance(item, Record)]
    put("".join(f"{line}\n" for line in write(records)).encode())
    faults = [item for item in items if isinstance(item, DataError)]
    if faults:
        count = f"{len(faults):,} unreadable line{'s'[: len(faults) > 1]}"
        raise DataError(f"{file}: {count} left out of the scenario; the first is {faults[0]}")


def _split(words: list[str]) -> tuple[list[str], str | None]:
    """Return the files and folders, and the server, which has another form. Raises: UsageError."""
    from os.path import exists

    from nsroom.scenarios.syntax import SUFFIX

    files = [word for word in words if exists(word) or word.endswith(SUFFIX)]
    targets = [word for word in words if word not in files]
    if len(targets) > 1 or any(word.startswith("/") for word in targets):
        raise UsageError(f"no such file or folder: {targets[0]}")
    return files, next(iter(targets), None)


def _load(paths: list[str], only: list[str], values: "dict[str, Json]") -> "list[Script]":
    """Return the scenarios, all checked. Raises: UsageError after a line about each that is wrong."""
    from nsroom.scenarios.check import check_values, find_files, load, name_of

    named = [(name_of(file), file) for file in find_files(paths)]
    wanted = [(name, file) for name, file in named if not only or any(each in name for each in only)]
    if not wanted:
        names = ", ".join(name for name, _ in named)
        raise UsageError(f"no scenario matches --only {', '.join(only)}: there are {names}")
    scripts, faults = [], []
    for name, file in wanted:
        try:
            scripts.append(load(file, name, values))
        except UsageError as error:
            faults.append(error)
    for fault in faults[:-1]:
        complain(str(fault))
    if faults:
        raise faults[-1]
    check_values(scripts, values)
    return scripts


async def _test(scripts: "list[Script]", plan: "Plan", jobs: int, junit: str | None) -> int:
    """Run the scenarios, report each, and return the exit code."""
    import time
    from datetime import UTC, datetime

    from nsroom.cli.progress import showing
    from nsroom.output.writer import Output
    from nsroom.scenarios import report
    from nsroom.scenarios.result import exit_code
    from nsroom.scenarios.runner import run_all
    from nsroom.watch import reader_closed, run_until_done

    at, started, results = datetime.now(UTC), time.monotonic(), list["Result"]()
    output = Output(sys.stdout.fileno())
    if not sys.stdout.isatty():
        plan = replace(plan, show=lambda *each: output.write(_lines(*each)))

    def add(result: "Result") -> None:
        results.append(result)
        _report(result)

    async with showing(lambda: f"{len(results):,} of {len(scripts):,} scenarios"):
        await run_until_done(run_all(scripts, plan, jobs, add), reader_closed(output))
    seconds = time.monotonic() - started
    if junit is not None:
        _write(junit, report.junit(results, seconds, at))
    _print(report.summary(results, seconds))
    return exit_code(results)


def _report(result: "Result") -> None:
    """Print a result: on a terminal each on a line, else only the failures, on stderr."""
    from nsroom.cli.progress import ProgressLine
    from nsroom.scenarios.report import explain, lines

    ProgressLine().clear()
    if sys.stdout.isatty():
        style = "green" if result.failure is None else "red"
        first, *others = lines(result)
        _print(first, style)
        for line in others:
            _print(line, style if line.lstrip().startswith("✗") else "")
    elif result.failure is not None:
        for line in explain(result.failure):
            complain(line)


def _print(text: str, style: str = "") -> None:
    """Print a line for a person: to stdout on a terminal, else to stderr."""
    from nsroom.output.terminal import console

    if not sys.stdout.isatty():
        say(text)
    elif not is_quiet() or style == "red":
        console(sys.stdout).print(text, style=style, soft_wrap=True)


def _lines(script: "Script", client: str, records: "Sequence[Record]") -> bytes:
    """Return records as NDJSON, each with its client and scenario in `data`."""
    from nsroom.output.ndjson import encode_all

    names = {"client": client, "scenario": script.name}
    return encode_all([record._replace(data=_with_names(record.data, names)) for record in records])


def _with_names(data: "Json", names: dict[str, str]) -> dict[str, "Json"]:
    return {**(data if isinstance(data, dict) else {} if data is None else {"value": data}), **names}


def _write(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise OutputError(f"cannot write to {path}: {error.strerror}") from None
