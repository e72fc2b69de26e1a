"""The results of scenarios as lines for a person, and as JUnit XML for CI servers."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from nsroom.errors import ExitCode
from nsroom.output.terminal import safe
from nsroom.scenarios.result import Failure, Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(result: Result) -> list[str]:
    """Return the lines about a scenario: whether it passed, and why it failed; safe for a terminal."""
    mark = "✓" if result.failure is None else "✗"
    head = f"{mark} {safe(result.script.name)}  {result.seconds:.2f} s"
    return [head] if result.failure is None else [head, *(f"  {line}" for line in explain(result.failure))]


def explain(failure: Failure) -> list[str]:
    """Return the lines about a failure: the first has the file, the line and the reason."""
    return [safe(str(failure)), *(f"  {safe(line)}" for line in failure.details)]


def summary(results: Sequence[Result], seconds: float) -> str:
    """Return how many scenarios passed and failed."""
    failed = sum(result.failure is not None for result in results)
    passed = len(results) - failed
    parts = [f"{passed:,} passed"] * bool(passed or not failed) + [f"{failed:,} failed"] * bool(failed)
    return f"{', '.join(parts)} in {seconds:.2f} s"


def junit(results: Sequence[Result], seconds: float, at: datetime) -> bytes:
    """Return the results as JUnit XML, with the attributes that Jenkins' schema allows."""
    failures = sum(_kind(result) == "failure" for result in results)
    errors = sum(_kind(result) == "error" for result in results)
    counts = {"tests": str(len(results)), "failures": str(failures), "errors": str(errors)}
    root = ElementTree.Element("testsuites", {"name": "nsroom", "time": f"{seconds:.3f}", **counts})
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": "nsroom", "time": f"{seconds:.3f}", "timestamp": stamp, **counts}
    )
    for result in results:
        folder, _, name = result.script.name.rpartition("/")
        attributes = {
            "classname": _xml(folder or "nsroom"),
            "name": _xml(name),
            "time": f"{result.seconds:.3f}",
        }
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if result.failure is not None:
            _add_failure(case, _kind(result), result.failure)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _kind(result: Result) -> str:
    """Return the kind of a result: a server that cannot be reached is an error and not a failed test."""
    if result.failure is None:
        return ""
    return "failure" if result.failure.code is ExitCode.NO else "error"


def _add_failure(case: ElementTree.Element, kind: str, failure: Failure) -> None:
    attributes = {"message": _xml(failure.reason), "type": failure.line.verb}
    ElementTree.SubElement(case, kind, attributes).text = _xml("\n".join(explain(failure)))


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot contain."""
    return _NOT_XML.sub("�", text)
