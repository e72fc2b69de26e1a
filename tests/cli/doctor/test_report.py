"""Reports as text and as JSON."""

import pytest

from nsroom.doctor.finding import Finding, Fix, Report, blocked, fail, node, ok, skip, warn
from nsroom.doctor.report import lines, verdict

HOSTILE = "http://x/';$(rm -rf ~)\"\n`reboot`\x1b[2J"


def report(name: str, finding: Finding) -> Report:
    return Report(name, finding, 12.4)


def test_each_report_is_a_line_with_its_fixes_below() -> None:
    reports = [
        report("dns", ok("fine")),
        report("sticky", fail("not sticky", Fix("nginx", "ip_hash;\nserver a;"))),
        report("cors", skip("needs dns")),
    ]
    assert lines(reports, colour=False) == [
        "✔ dns        12 ms  fine",
        "✘ sticky     12 ms  not sticky",
        "    nginx:",
        "        ip_hash;",
        "        server a;",
        "– cors              needs dns",
    ]
    assert lines(reports, colour=True)[0].startswith("\x1b[32m✔\x1b[0m dns")


def test_a_hostile_finding_stays_one_line() -> None:
    [line] = lines([report("a", ok(f"{HOSTILE}{'x' * 10_000}"))], colour=False)
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 500


def test_json() -> None:
    assert report("a", fail("no", Fix("shell", "ls"))).to_json() == {
        "check": "a",
        "state": "failed",
        "found": "no",
        "ms": 12.4,
        "fixes": [{"place": "shell", "text": "ls"}],
    }


@pytest.mark.parametrize(
    ("finding", "strict", "expected"),
    [
        (ok(""), True, None),
        (skip(""), True, None),
        (warn(""), False, None),
        (warn("slow"), True, "1 check failed: a: slow"),
        (fail("no", node("next();    // always")), False, "1 check failed: a: no; server, Node: next();"),
        (fail("no", node("a\nb")), False, "1 check failed: a: no; see the lines for server, Node above"),
        (fail("x" * 200), False, f"1 check failed: a: {'x' * 119}…"),
    ],
)
def test_verdict(finding: Finding, strict: bool, expected: str | None) -> None:
    assert verdict([report("a", finding)], strict) == expected


def test_the_last_line_names_all_and_explains_the_first() -> None:
    reports = [report("a", fail("no")), report("b", ok("")), report("c", fail("neither"))]
    assert verdict(reports, False) == "2 checks failed: a, c: no"


def test_checks_that_need_the_same_one_are_one_line() -> None:
    reports = [
        report("tcp", fail("no")),
        report("tls", blocked("tcp")),
        report("http", blocked("tcp")),
        report("path", blocked("http")),
        report("cors", skip("use --origin")),
        report("ack", blocked("tcp")),
    ]
    assert lines(reports, colour=False) == [
        "✘ tcp      12 ms  no",
        "– 3 more need tcp",
        "– path            needs http",
        "– cors            use --origin",
    ]
