"""Format reports as text: one line for each check, followed by its fixes."""

import re
from collections import Counter
from collections.abc import Iterable

from nsroom.doctor.finding import Fix, Report, State
from nsroom.output.terminal import clip, safe
from nsroom.output.units import duration

_COMMENT = re.compile(r"    (?://|#) .*")
_SIGNS = {State.OK: "✔", State.WARNING: "!", State.FAILED: "✘", State.SKIPPED: "–"}
_COLOURS = {State.OK: "32", State.WARNING: "33", State.FAILED: "31", State.SKIPPED: "2"}
_MAX_FOUND = 400
"""Characters of a finding to show."""
_MAX_CAUSE = 120
"""Cells of a finding in the last line."""
_MAX_FIX = 80
"""Characters of a fix in the last line."""


def lines(reports: Iterable[Report], colour: bool) -> list[str]:
    """Return the lines of the reports, in order; all text is safe for a terminal.

    Several checks that need the same failed one are one line: its cause must not leave the screen.
    """
    listed = list(reports)
    width = max((len(report.check) for report in listed), default=0)
    blocked = Counter(report.finding.needs for report in listed)
    found: list[str] = []
    for report in listed:
        count = blocked[report.finding.needs] if report.finding.needs else 1
        if count == 1:
            found += _report(report, width, colour)
        elif count > 1:
            found.append(f"{_sign(State.SKIPPED, colour)} {count} more need {report.finding.needs}")
            blocked[report.finding.needs] = 0
    return found


def _report(report: Report, width: int, colour: bool) -> list[str]:
    state = report.finding.state
    time = "" if state is State.SKIPPED else duration(report.ms)
    head = (
        f"{_sign(state, colour)} {report.check:<{width}} {time:>9}  {safe(report.finding.found[:_MAX_FOUND])}"
    )
    return [head, *(line for fix in report.finding.fixes for line in _fix(fix))]


def _sign(state: State, colour: bool) -> str:
    return f"\x1b[{_COLOURS[state]}m{_SIGNS[state]}\x1b[0m" if colour else _SIGNS[state]


def _fix(fix: Fix) -> list[str]:
    return [f"    {fix.place}:", *(f"        {safe(line)}" for line in fix.text.split("\n"))]


def verdict(reports: Iterable[Report], strict: bool) -> str | None:
    """Return a line with the failed checks, and the cause and fix of the first; None if none failed.

    With `strict` a warning is a failure.
    """
    failing = (State.FAILED, State.WARNING) if strict else (State.FAILED,)
    failed = [report for report in reports if report.finding.state in failing]
    if not failed:
        return None
    names = ", ".join(report.check for report in failed)
    count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
    first = failed[0].finding
    cause = clip(safe(first.found), _MAX_CAUSE)
    return f"{count} failed: {names}: {cause}{_short(first.fixes[0]) if first.fixes else ''}"


def _short(fix: Fix) -> str:
    """Return the fix for the last line: its code, or where to see it if it is longer than a line."""
    code = _COMMENT.sub("", fix.text)
    if "\n" in code or len(code) > _MAX_FIX:
        return f"; see the lines for {fix.place} above"
    return f"; {fix.place}: {safe(code)}"
