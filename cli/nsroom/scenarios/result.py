"""The result of a scenario."""

from collections.abc import Sequence
from dataclasses import dataclass

from nsroom.errors import ExitCode
from nsroom.scenarios.script import Line, Script


class StepError(Exception):
    """A line of a scenario failed: why, with further lines that explain it."""

    def __init__(self, reason: str, details: Sequence[str] = (), code: ExitCode = ExitCode.NO) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = tuple(details)
        self.code = code


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario failed, and where."""

    line: Line
    reason: str
    details: tuple[str, ...] = ()
    code: ExitCode = ExitCode.NO
    """NO for an expectation; CONNECT or REFUSED if a client could not connect."""

    def __str__(self) -> str:
        return f"{self.line.place}: {self.line.text}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was run, in how many seconds, and its failure, if any."""

    script: Script
    seconds: float
    failure: Failure | None = None


def exit_code(results: Sequence[Result]) -> ExitCode:
    """Return the exit code of a run: a failed expectation counts more than a failed connection."""
    codes = {result.failure.code for result in results if result.failure}
    return next((code for code in (ExitCode.NO, *sorted(codes)) if code in codes), ExitCode.OK)
