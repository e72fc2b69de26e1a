"""`nsroom doctor`: find out why a connection fails, and how to fix it."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import AnyTarget, ConnectionOptions
from nsroom.errors import DecodeError, ExitCode, UsageError
from nsroom.output.stdio import complain, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsroom.client.target import Target
    from nsroom.doctor.examination import Extras
    from nsroom.doctor.finding import Report


def doctor(
    target: AnyTarget = None,
    *,
    connection: ConnectionOptions,
    origin: Annotated[
        str | None,
        typer.Option("--origin", metavar="ORIGIN", help="Check CORS for a page from this origin."),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option("--event", metavar="NAME", help="Emit this event, and check that it is acknowledged."),
    ] = None,
    event_args: Annotated[
        str | None,
        typer.Option(
            "--event-args", metavar="JSON", help="Arguments of --event; an array is several arguments."
        ),
    ] = None,
    soak: Annotated[
        float,
        typer.Option(
            "--soak", min=0, max=86_400, metavar="SECONDS", help="Keep an idle connection open for this time."
        ),
    ] = 0.0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="TEXT", help="Explain a client's error message, offline."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per check.")] = False,
) -> None:
    """Find out why a connection fails, and how to fix it.

    One line per check: ✔ good, ! a problem for some clients, ✘ wrong, – skipped; then its time and what it
    found. Below each problem is a fix to paste. Takes at most 15 seconds, plus --soak. It connects to the
    namespaces but emits nothing except --event, which it emits twice if the first is not acknowledged.
    Exits with 1 if something is wrong.

    \b
    Examples:
      nsroom doctor
      nsroom doctor https://example.org/chat --origin https://app.example.org
      nsroom doctor :3001/chat -a token=secret --event order --event-args 7
      nsroom doctor https://example.org --soak 120 --strict
      nsroom doctor --json | jq -r 'select(.state == "failed") | .fixes[].text'
      nsroom doctor --explain 'xhr poll error'
    """
    if explain is not None:
        _explain(explain, json)
        return
    from nsroom.cli.run import run
    from nsroom.client.target import names_path, require_tcp
    from nsroom.doctor.examination import Extras
    from nsroom.doctor.report import verdict

    server = connection.target(target)
    require_tcp(server.unix, "doctor")
    is_path_in_url = names_path(target or connection.url or "")
    extras = Extras(_checked(origin), event, _arguments(event, event_args), soak, is_path_in_url)
    reports = run(_examine(server, extras))
    _show(reports, json)
    if problem := verdict(reports, strict):
        complain(problem)
        raise typer.Exit(ExitCode.NO)


_ORIGIN = re.compile(r"null|[A-Za-z][A-Za-z0-9+.-]*://[!-.0-~]*")
"""`null` is sent by sandboxed frames and local files, `file://` by Cordova."""


def _checked(origin: str | None) -> str | None:
    if origin is None:
        return None
    # A browser sends no path.
    plain = origin[:-1] if re.fullmatch(".+://.+/", origin) and not origin.endswith("//") else origin
    if not _ORIGIN.fullmatch(plain):
        raise UsageError(f"--origin {origin!r}: write it as https://example.org, without a path, or as null")
    return plain


def _arguments(event: str | None, text: str | None) -> tuple[object, ...]:
    from nsroom.protocol import socketio, strict_json

    if event in socketio.RESERVED_EVENTS:
        raise UsageError(f"--event {event!r} is a reserved name; servers close the connection on it")
    if text is None:
        return ()
    if event is None:
        raise UsageError("--event-args needs --event")
    try:
        value = strict_json.load(text)
    except DecodeError as error:
        raise UsageError(f"--event-args: {error}") from None
    return tuple(value) if isinstance(value, list) else (value,)


async def _examine(target: "Target", extras: "Extras") -> "list[Report]":
    from nsroom.cli.progress import ProgressLine
    from nsroom.client.auth_command import authenticated
    from nsroom.doctor.checks import all_checks
    from nsroom.doctor.examination import Examination
    from nsroom.doctor.probes.http import HttpClient
    from nsroom.doctor.runner import BUDGET, examine

    target = await authenticated(target)
    progress = ProgressLine()
    async with HttpClient(target) as http:
        examination = Examination(target, extras, http)
        try:
            return await examine(
                all_checks(extras.soak),
                examination,
                lambda left: progress.show(f"{len(left)} checks to go: {', '.join(left)}"),
                BUDGET + extras.soak,
            )
        finally:
            progress.clear()


def _show(reports: "Sequence[Report]", json: bool) -> None:
    from nsroom.doctor.report import lines
    from nsroom.output.ndjson import encode_value
    from nsroom.output.terminal import colours

    if json:
        put(b"".join(encode_value(report.to_json()) for report in reports))
    else:
        _print(lines(reports, colours(sys.stdout)))


def _print(lines: "Sequence[str]") -> None:
    text = "".join(f"{line}\n" for line in lines)
    put(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def _explain(text: str, json: bool) -> None:
    """Print the known errors that the text resembles; exit with 1 if there are none."""
    from nsroom.doctor.client_errors import anchor, look_up

    found = look_up(text)
    if not found:
        complain("no known error matches: paste the message exactly as the client printed it")
        raise typer.Exit(ExitCode.NO)
    if json:
        from json import dumps

        listed = [(anchor(each.message), each.error) for each in found]
        _print([dumps({"words": it.words, "causes": it.causes, "anchor": to}) for to, it in listed])
        return
    for each in found:
        # The messages of one error can be many: the one that was found comes first.
        words = list(dict.fromkeys((each.message, *each.error.words)))[:3]
        _print([" | ".join(words), *(f"  - {cause}" for cause in each.error.causes), ""])
