"""`nsroom diff`, the real program: two recordings, side by side on a terminal and as JSON in a pipe."""

import json
from pathlib import Path

import pytest

from tests.peers.program import Runner, Spawner


def entry(event: str, *args: object, namespace: str = "/") -> str:
    """Return a line of a recording."""
    return json.dumps({"direction": "in", "namespace": namespace, "event": event, "args": args}) + "\n"


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[str, str]:
    """Two recordings: one event changed, one is missing, one is extra."""
    before, after = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    before.write_text(
        entry("a", {"x": 1, "\x1b[2J": 1}) + entry("gone", "\u001b]0;title\u0007") + entry("same")
    )
    after.write_text(entry("a", {"x": 2, "\x1b[2J": 1}) + entry("same") + entry("new", b"".hex(), 5))
    return str(before), str(after)


async def test_in_a_pipe(nsroom: Runner, recordings: tuple[str, str]) -> None:
    result = await nsroom("diff", *recordings)
    assert (result.code, result.stderr) == (1, "nsroom: 1 changed, 1 missing, 1 extra (3 and 3 records)\n")
    changed, missing, extra = result.records()
    assert (changed["what"], changed["event"], changed["paths"]) == ("changed", "a", ["arg.0.x"])
    assert (changed["a"]["line"], changed["b"]["record"]["args"][0]["x"]) == (1, 2)
    assert (missing["what"], missing["a"]["line"], "b" in missing) == ("missing", 2, False)
    assert (extra["what"], extra["b"]["line"], "a" in extra) == ("extra", 3, False)


async def test_nothing_differs(nsroom: Runner, recordings: tuple[str, str]) -> None:
    for options in (["--where", "event=same"], ["--where", "event=a", "--ignore", "arg.*.x"]):
        result = await nsroom("diff", *recordings, *options)
        assert (result.code, result.stdout, "no differences" in result.stderr) == (0, "", True)


async def test_on_a_terminal(spawn: Spawner, recordings: tuple[str, str]) -> None:
    program = await spawn("diff", *recordings, tty=True, cols=100)
    assert await program.end() == 1
    lines = program.stdout.text.replace("\r", "").splitlines()
    assert "~ ← / a" in lines[0]
    assert lines[1].count("│") == 1
    assert [part.strip() for part in lines[2].split("│")] == ["arg.0.x: 1", "arg.0.x: 2"]
    assert "- ← / gone" in lines[3]
    assert "\x1b]0;" not in program.stdout.text
    assert "\x1b[2J" not in program.stdout.text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-", "-"], 2, "stdin can be one of the two recordings, not both"),
        (["a.ndjson", "none"], 2, "cannot read none: No such file or directory"),
        (["a.ndjson", "bad"], 8, "bad: line 2: "),
        (["a.ndjson", "a.ndjson", "--where", "x=="], 2, "--where: column"),
        (["a.ndjson"], 2, "diff needs a B, for example:"),
    ],
)
@pytest.mark.usefixtures("recordings")
async def test_errors(nsroom: Runner, tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    (tmp_path / "bad").write_text(entry("a") + "no json\n")
    result = await nsroom("diff", *arguments)
    assert (result.code, result.stdout) == (code, "")
    assert message in result.stderr


async def test_one_recording_from_stdin(nsroom: Runner, recordings: tuple[str, str]) -> None:
    result = await nsroom("diff", "-", recordings[1], stdin=entry("same"))
    assert (result.code, len(result.records())) == (1, 2)
