"""The topics of `nsroom help` are those of the pages, and fit a terminal."""

import pytest

from docs.topics import FOLDER, SECTIONS, WIDTH, topics
from tests.peers.program import Runner

TOPICS = topics()


def test_the_topics_are_those_of_the_pages() -> None:
    written = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.txt")}
    assert written == TOPICS, "run: python -m tests.test_docs"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_topic_is_plain_text(name: str) -> None:
    lines = TOPICS[name].splitlines()
    assert len(lines) > 5
    assert [line for line in lines if line.startswith(("|", "#", "```", "!["))] == []
    assert all(len(line) <= WIDTH or line.startswith("  ") for line in lines)


async def test_the_command_prints_them(nsroom: Runner) -> None:
    for name, text in TOPICS.items():
        result = await nsroom("help", name)
        assert (result.code, result.stdout) == (0, text)
    listed = (await nsroom("help", "--help")).stdout
    assert all(name in listed for name in (*TOPICS, "record"))
    wrong = await nsroom("help", "filtrs")
    assert (wrong.code, wrong.stderr) == (
        2,
        "nsroom: unknown topic 'filtrs': use `filters`\n  nsroom help filters\n",
    )
