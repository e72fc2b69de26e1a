"""`nsroom kick`, the real program: what its words are taken for."""

import pytest

from tests.peers.program import Runner

NOBODY = ("-u", "http://127.0.0.1:1", "--write")
SID = "-YX8cSld2GfE3A6SAAAA"
DASHED = [SID, "--8cSld2GfE3A6SAAAAB", "-uX8cSld2GfE3A6SAAAA", "-----------_-------A"]


@pytest.mark.parametrize("line", [*([sid, *NOBODY] for sid in DASHED), [*NOBODY, SID], [*NOBODY, "--", SID]])
async def test_a_sid_may_begin_with_a_dash(nsroom: Runner, line: list[str]) -> None:
    result = await nsroom("kick", *line)
    assert (result.code, "cannot connect" in result.stderr) == (3, True)


async def test_so_may_a_room(nsroom: Runner) -> None:
    assert (await nsroom("kick", "--room", SID, *NOBODY)).code == 3
    result = await nsroom("kick", SID, "--room", SID, *NOBODY)
    assert (result.code, "or a room with --room" in result.stderr) == (2, True)


@pytest.mark.parametrize("word", ["-YX8cSld2GfE3A6SAAA", "--wrote"])
async def test_other_words_with_a_dash_are_options(nsroom: Runner, word: str) -> None:
    result = await nsroom("kick", *NOBODY, word)
    assert (result.code, "no such option" in result.stderr) == (2, True)
