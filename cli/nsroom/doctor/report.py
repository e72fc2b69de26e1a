"""Format reports as text: one line for each check, followed by its fixes."""

from collections.abc import Iterable

from nsroom.doctor.finding import Fix, Report, State
from nsroom.output.terminal import safe

_SIGNS = {State.OK: "✔", State.WARNING: "!", State.FAILED: "✘", State.SKIPPED: "–"}
_COLOURS = {State.OK: "32", State.WARNING: "33", State.FAILED: "31", State.SKIPPED: "2"}
_MAX_FOUND = 400
"""Characters of a finding to show."""


def lines(reports: Iterable[Report], colour: bool) -> list[str]:
    """Return the lines of the reports, in order; all text is safe for a terminal."""
    listed = list(reports)
    width = max((len(report.check) for report in listed), default=0)
    return [line for report in listed for line in _report(report, width, colour)]


def _report(report: Report, width: int, colour: bool) -> list[str]:
    state = report.finding.state
    sign = f"\x1b[{_COLOURS[state]}m{_SIGNS[state]}\x1b[0m" if colour else _SIGNS[state]
    time = "" if state is State.SKIPPED else f"{report.ms:.0f} ms"
    head = f"{sign} {report.check:<{width}} {time:>9}  {safe(report.finding.found[:_MAX_FOUND])}"
    return [head, *(line for fix in report.finding.fixes for line in _fix(fix))]


def _fix(fix: Fix) -> list[str]:
    return [f"    {fix.place}:", *(f"        {safe(line)}" for line in fix.text.split("\n"))]


def verdict(reports: Iterable[Report], strict: bool) -> str | None:
    """Return a line that names the failed checks, or None; with `strict` a warning is a failure."""
    failing = (State.FAILED, State.WARNING) if strict else (State.FAILED,)
    names = [report.check for report in reports if report.finding.state in failing]
    if not names:
        return None
    return f"{len(names)} check{'' if len(names) == 1 else 's'} failed: {', '.join(names)}"
