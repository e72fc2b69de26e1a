"""Fuzz the parsers with coverage guidance: `python -m tests.fuzz --seconds 60 [TARGET…]`.

A finding is written to a file, to be fixed and then kept in tests/fuzz/corpus/TARGET; the exit code is 1.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.properties import TARGETS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
PROPERTIES = "tests.fuzz.properties"
LONGEST = 8192
"""Bytes of an input."""
TIME_OUT = 10
"""Seconds for one input."""
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")


class Result(NamedTuple):
    """What one target's run found."""

    target: str
    seed: int
    runs: int
    finding: Path | None
    """The input that failed."""
    output: str
    code: int


def fuzz(target: str, seconds: int, seed: int, findings: Path, module: str = PROPERTIES) -> Result:
    """Fuzz one target of a module in a process of its own: libFuzzer ends the process."""
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    with tempfile.TemporaryDirectory() as grown:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.harness", module, target),
                *(f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={findings}/{target}-"),
                *(f"-max_len={LONGEST}", f"-timeout={TIME_OUT}"),
                *("-print_final_stats=1", grown, str(CORPUS / target)),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    new = sorted(set(findings.iterdir()) - before)
    runs = _RUNS.search(done.stdout)
    return Result(
        target, seed, int(runs[1]) if runs else 0, new[0] if new else None, done.stdout, done.returncode
    )


def describe(result: Result) -> str:
    """Return what to print of a result: one line, and the failure if there is one."""
    head = f"{result.target}: {result.runs} runs, seed {result.seed}"
    if not result.code:
        return f"{head}: ok"
    failure = result.output.partition("=== Uncaught Python exception: ===")[2].partition("\n==")[0].strip()
    return "\n".join([f"{head}: {result.finding or 'failed'}", failure or result.output[-2000:]])


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if no property failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="in all; shared by the targets")
    parser.add_argument("--seed", type=int, default=0, help="default: a random one, which is printed")
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="a folder")
    options = parser.parse_args(arguments)
    targets = options.targets or list(TARGETS)
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"unknown target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    seconds = max(1, options.seconds // len(targets))
    seed = options.seed or random.randrange(1, 2**31)
    code = 0
    for target in targets:
        result = fuzz(target, seconds, seed, options.findings.resolve())
        sys.stdout.write(f"{describe(result)}\n")
        sys.stdout.flush()
        code |= result.code != 0
    return code


if __name__ == "__main__":
    sys.exit(main())
