"""Format reports as text: one line for each check, and below it the fixes to paste."""

from collections.abc import Iterable

from nsroom.doctor.finding import Fix, Report, State
from nsroom.output.terminal import safe

_SIGNS = {State.OK: "✔", State.WARNING: "!", State.FAILED: "✘", State.SKIPPED: "–"}
_COLOURS = {State.OK: "32", State.WARNING: "33", State.FAILED: "31", State.SKIPPED: "2"}
_MAX_FOUND = 400
"""Characters of a finding to show."""


def lines(reports: Iterable[Report], colour: bool) -> list[str]:
    """Format the reports in their order; all text is safe for a terminal."""
    reports = list(reports)
    width = max((len(report.check) for report in reports), default=0)
    return [line for report in reports for line in _report_lines(report, width, colour)]


def _report_lines(report: Report, width: int, colour: bool) -> list[str]:
    state = report.finding.state
    sign = f"\x1b[{_COLOURS[state]}m{_SIGNS[state]}\x1b[0m" if colour else _SIGNS[state]
    time = "" if state is State.SKIPPED else f"{report.ms:.0f} ms"
    head = f"{sign} {report.check:<{width}} {time:>9}  {safe(report.finding.found[:_MAX_FOUND])}"
    return [head, *(line for fix in report.finding.fixes for line in _fix_lines(fix))]


def _fix_lines(fix: Fix) -> list[str]:
    return [f"    {fix.place}:", *(f"        {safe(line)}" for line in fix.text.split("\n"))]


def verdict(reports: Iterable[Report], strict: bool) -> str | None:
    """Return one line that names the failed checks (if `strict`, also the warnings), or None without any."""
    bad = (State.FAILED, State.WARNING) if strict else (State.FAILED,)
    names = [report.check for report in reports if report.finding.state in bad]
    if not names:
        return None
    return f"{len(names)} check{'' if len(names) == 1 else 's'} failed: {', '.join(names)}"
