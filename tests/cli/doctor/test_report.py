"""What a person reads, and what they may paste, is safe whatever the server said."""

import shlex

import pytest

from nsroom.doctor.finding import Finding, Fix, Report, State, fail, ok, skip, truncated, warn
from nsroom.doctor.fixes import network
from nsroom.doctor.report import lines, verdict

HOSTILE = "http://x/';$(rm -rf ~)\"\n`reboot`\x1b[2J"


def report(name: str, finding: Finding) -> Report:
    return Report(name, finding, 12.4)


def test_a_line_for_each_and_the_fix_below() -> None:
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


def test_one_line_stays_one() -> None:
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
    ("finding", "strict", "said"),
    [
        (ok(""), True, None),
        (skip(""), True, None),
        (warn(""), False, None),
        (warn(""), True, "1 check failed: a"),
        (fail(""), False, "1 check failed: a"),
    ],
)
def test_verdict(finding: Finding, strict: bool, said: str | None) -> None:
    assert verdict([report("a", finding)], strict) == said


def test_what_is_pasted_into_a_shell_is_one_word() -> None:
    [command] = [fix.text for fix in network.moved(HOSTILE, "/socket.io/") if fix.place == "shell"]
    assert shlex.split(command)[2] == HOSTILE


def test_what_is_pasted_into_code_stays_a_string() -> None:
    [code] = [fix.text for fix in network.moved(HOSTILE, "/socket.io/") if fix.place == "client, JavaScript"]
    assert '\\"' in code
    assert "\n" not in code


def test_what_was_sent_is_cut() -> None:
    assert truncated("x" * 1000) == f'"{"x" * 118}…'
    assert truncated({"a": b"xy"}) == '{"a": "<2 bytes>"}'
    assert State.SKIPPED.value == "skipped"
