"""Command lines without their secrets."""

import shlex

import pytest

from nsroom.cli.masking import masked_line


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["nsroom", "connect", "/chat"], ["nsroom", "connect", "/chat"]),
        (["-a", "token=abcd", "--auth", '{"a":1}', "-ax=y"], ["-a", "token=…", "--auth", "…", "-a…"]),
        (["-a", "token=x"], ["-a", "token=x"]),
        (["-H", "Authorization: Bearer x"], ["-H", "Authorization: …"]),
        (["--cookie=a=b", "--query", "k=long"], ["--cookie=…", "--query", "k=…"]),
        (["-a", "token:=1234", "-a", "@file"], ["-a", "token:=…", "-a", "…"]),
        (["http://ann:pw@host/chat"], ["http://…@host/chat"]),
        (["emit", "say", "@file", "a@b"], ["emit", "say", "@file", "a@b"]),
        (["--token"], ["--token"]),
    ],
)
def test_a_line(words: list[str], shown: list[str]) -> None:
    assert shlex.split(masked_line(words)) == shown
