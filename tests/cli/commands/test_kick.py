"""`nsroom kick`, the real program: sids and options on its command line."""

import pytest

from tests.peers.program import Runner

NO_SERVER = ("-u", "http://127.0.0.1:1", "--write")
SID = "-YX8cSld2GfE3A6SAAAA"
DASHED = [SID, "--8cSld2GfE3A6SAAAAB", "-uX8cSld2GfE3A6SAAAA", "-----------_-------A"]


@pytest.mark.parametrize(
    "line", [*([sid, *NO_SERVER] for sid in DASHED), [*NO_SERVER, SID], [*NO_SERVER, "--", SID]]
)
async def test_a_sid_may_start_with_a_dash(nsroom: Runner, line: list[str]) -> None:
    result = await nsroom("kick", *line)
    assert (result.code, "cannot connect" in result.stderr) == (3, True)


async def test_a_room_may_start_with_a_dash(nsroom: Runner) -> None:
    assert (await nsroom("kick", "--room", SID, *NO_SERVER)).code == 3
    result = await nsroom("kick", SID, "--room", SID, *NO_SERVER)
    assert (result.code, "or a room with --room" in result.stderr) == (2, True)


@pytest.mark.parametrize("word", ["-YX8cSld2GfE3A6SAAA", "--wrote"])
async def test_other_words_with_a_dash_are_options(nsroom: Runner, word: str) -> None:
    result = await nsroom("kick", *NO_SERVER, word)
    assert (result.code, "unknown option" in result.stderr) == (2, True)
