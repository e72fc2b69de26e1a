"""`nsroom help`."""

import json

import pytest

from tests.peers.program import Runner


@pytest.mark.parametrize(
    ("line", "same"), [("help", "--help"), ("help emit", "emit --help"), ("help help", "help --help")]
)
async def test_the_help_of_a_command(line: str, same: str, nsroom: Runner) -> None:
    assert await nsroom(*line.split()) == await nsroom(*same.split())


async def test_the_format_of_records(nsroom: Runner) -> None:
    text = await nsroom("help", "record")
    schema = await nsroom("help", "record", "--json")
    keys = list(json.loads(schema.stdout)["properties"])
    assert [line.split()[0] for line in text.lines] == keys
    assert max(map(len, text.lines)) < 130


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("help emitt", "nsroom help emit"),
        ("help xyzzy", "nsroom help"),
        ("help --json", "nsroom help record --json"),
    ],
)
async def test_other_topics(line: str, meant: str, nsroom: Runner) -> None:
    result = await nsroom(*line.split())
    assert (result.code, result.stdout) == (2, "")
    assert result.lines == []
    assert result.stderr.splitlines()[-1].strip() == meant
