"""Run the cases of the Autobahn|Testsuite against both sides: `python -m tests.autobahn [NUMBER…]`.

A number selects the cases that start with it, such as 6 or 7.9. The exit code is 1 if a case failed, or is
not strict without a reason in EXPLAINED.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from tests.autobahn.cases import Case, cases
from tests.autobahn.peers import client, server, session
from tests.autobahn.verdict import Verdict, judge, run

Result = tuple[str, Case, Verdict, str]
"""The side, the case, the verdict, and why it is not OK."""
_WHOLE = "UTF-8 is checked when a message is whole, which RFC 6455 allows"
EXPLAINED = {(side, f"6.4.{at}"): _WHOLE for side in ("client", "server") for at in (1, 2)}
"""By side and number: why a case is not strict."""


async def results(sides: Sequence[str], chosen: Sequence[Case]) -> AsyncIterator[Result]:
    """Yield the verdict of every case, on each side."""
    if "client" in sides:
        for case in chosen:
            async with client() as wire:
                yield "client", case, *judge(case, await run(wire, case))
    if "server" in sides:
        async with server() as (host, port):
            for case in chosen:
                async with session(host, port) as wire:
                    yield "server", case, *judge(case, await run(wire, case))


def is_good(result: Result) -> bool:
    """Return whether a case is OK, or not strict for a reason."""
    side, case, verdict, _ = result
    return verdict is Verdict.OK or (verdict is Verdict.NON_STRICT and (side, case.number) in EXPLAINED)


def select(prefixes: Sequence[str], quick: bool) -> list[Case]:
    """Return the cases with these numbers; all without any."""
    return [
        case
        for case in cases(quick)
        if not prefixes or any(f"{case.number}.".startswith(f"{prefix}.") for prefix in prefixes)
    ]


async def report(sides: Sequence[str], chosen: Sequence[Case]) -> int:
    """Print a line for each case and a summary; return how many cases are not good."""
    counts: Counter[str] = Counter()
    async for result in results(sides, chosen):
        side, case, verdict, why = result
        counts[verdict] += 1
        counts["not good"] += not is_good(result)
        note = EXPLAINED.get((side, case.number)) if verdict is Verdict.NON_STRICT else None
        sys.stdout.write(
            f"{side} {case.number} {verdict}{why and f': {why}'}{f' ({note})' if note else ''}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict) + "\n")
    return counts["not good"]


def main() -> int:
    """Return 0 if every case is good."""
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn", description=__doc__)
    parser.add_argument("numbers", metavar="NUMBER", nargs="*")
    parser.add_argument("--side", choices=["client", "server"], action="append", help="default: both")
    parser.add_argument("--quick", action="store_true", help="leave out large and similar cases")
    options = parser.parse_args()
    chosen = select(options.numbers, options.quick)
    if not chosen:
        parser.error("no case has such a number")
    return int(bool(asyncio.run(report(options.side or ["client", "server"], chosen))))


if __name__ == "__main__":
    sys.exit(main())
