"""`nsroom test`, the real program: exit codes, records in a pipe, lines on a terminal, JUnit, and --new."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Server, Spawner

PASSES = "ann: connect /lab\nann: call echo 6\nann: expect event=echo\n"
FAILS = f"{PASSES}ann: call echo 6\nann: expect event=echo & arg.0=7 within 10ms\n"


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """A folder with a scenario that passes and one that fails."""
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "good.nsroom").write_text(PASSES)
    (folder / "bad.nsroom").write_text(FAILS)
    return folder


async def test_records_in_a_pipe_have_their_client(nsroom: Runner, server: Server, scenarios: Path) -> None:
    result = await nsroom("test", "t/good.nsroom", server.url, "--junit", "r.xml", "--save", "saved")
    assert result.code == 0
    assert result.stderr.startswith("nsroom: 1 passed in ")
    records = result.records()
    assert {(each["data"]["client"], each["data"]["scenario"]) for each in records} == {("ann", "t/good")}
    assert [each["args"] for each in records if each["kind"] == "ack"] == [[6]]
    suite = ElementTree.parse(scenarios.parent / "r.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    shown = await nsroom("show", "saved/t/good/ann.ndjson", "--where", "kind=ack")
    assert [each["args"] for each in shown.records()] == [[6]]
    again = await nsroom("test", "t/good.nsroom", server.url, "--save", "saved")
    assert (again.code, "the folder is not empty" in again.stderr) == (2, True)


@pytest.mark.usefixtures("scenarios")
async def test_a_failure_names_file_line_and_the_closest_records(nsroom: Runner, server: Server) -> None:
    result = await nsroom("test", "t", server.url, "--jobs", "2")
    assert result.code == 1
    assert (
        "nsroom: t/bad.nsroom:5: ann: expect event=echo & arg.0=7 within 10ms: not received, "
        in result.stderr
    )
    assert "nsroom:   ←  echo            6\nnsroom:     ✗ arg.0=7, but it is 6\n" in result.stderr
    assert "nsroom: 1 passed, 1 failed in " in result.stderr


@pytest.mark.usefixtures("scenarios")
async def test_a_line_for_each_on_a_terminal(spawn: Spawner, server: Server) -> None:
    program = await spawn("test", "t", server.url, tty=True, cols=100)
    shown = (await program.result(30)).stdout
    assert "✗ t/bad" in shown
    assert "✓ t/good" in shown
    assert "✗ arg.0=7, but it is 6" in shown
    assert "1 passed, 1 failed in " in shown
    assert '"kind"' not in shown


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        (("t", ":1", "--only", "good"), 3, "t/good.nsroom:1: ann: connect /lab: cannot connect"),
        (("broken.nsroom", "--only", "x"), 2, "no scenario matches --only x: there are broken"),
        (("broken.nsroom",), 2, "broken.nsroom:1:1: unknown client 'ann'"),
        (("t", "nowhere"), 2, "unknown server 'nowhere'"),
        (("t", "/nowhere"), 2, "no such file or folder: /nowhere"),
        (("t", "--set", "x=1"), 2, "--set x: no scenario uses {x}"),
        (("t", "--set", "x"), 2, "--set: write it as key=value"),
        (("gone.nsroom",), 2, "cannot read gone.nsroom: No such file"),
    ],
)
async def test_codes(
    args: tuple[str, ...], code: int, complaint: str, nsroom: Runner, scenarios: Path
) -> None:
    (scenarios.parent / "broken.nsroom").write_text("ann: join lobby")
    result = await nsroom("test", *args)
    assert (result.code, result.stdout, complaint in result.stderr) == (code, "", True), result


async def test_every_client_has_the_credentials_of_stdin(
    nsroom: Runner, serve: StartServer, tmp_path: Path
) -> None:
    server = await serve("--token", "secret")
    (tmp_path / "a.nsroom").write_text("ann: connect /chat\nbob: connect /chat")
    result = await nsroom("test", "a.nsroom", server.url, "-a", "-", stdin=b"token=secret\n")
    assert (result.code, "1 passed" in result.stderr) == (0, True), result


async def test_a_refused_client_is_code_4(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.nsroom").write_text("ann: connect /nope")
    assert (await nsroom("test", "a.nsroom", server.url)).code == 4


async def test_output_that_cannot_be_written_is_code_10(
    nsroom: Runner, server: Server, scenarios: Path
) -> None:
    (scenarios / "quiet.nsroom").write_text("ann: connect\nann: wait 200ms\n")
    for name in ("good", "quiet"):
        result = await nsroom("test", f"t/{name}.nsroom", server.url, stdout=Path("/dev/full"))
        complaint = "nsroom: cannot write to standard output: No space left on device\n"
        assert (result.code, result.stderr) == (10, complaint)


async def test_values_and_a_server_of_its_own(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.nsroom").write_text(
        f"server: {sys.executable} -m nsroom serve :{{port}} --history none\n"
        "ann: connect {space}\nserver: kill\nann: expect kind=close within 20s\n"
        "server: start\nann: expect kind=reconnect within 30s\n"
    )
    result = await nsroom("test", "a.nsroom", "--set", "space=/lab", timeout=60)
    assert (result.code, "1 passed" in result.stderr) == (0, True), result


async def test_a_scenario_from_a_recording_passes(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    lines = b'["echo",{"text":"hi","n":1}]\n["echo","two words"]\n'
    options = ("--stdin", "--all", "--where", "kind=ack | kind=event", "--save", "run.ndjson")
    recorded = await nsroom("connect", f"{server.url}/lab", *options, "-C", "5", stdin=lines)
    assert recorded.code == 0
    written = await nsroom("test", "--new", "run.ndjson")
    (tmp_path / "new.nsroom").write_text(written.stdout)
    result = await nsroom("test", "new.nsroom", server.url)
    assert result.code == 0, (written.stdout, result)


async def test_unreadable_lines_of_a_recording_are_code_8(nsroom: Runner, tmp_path: Path) -> None:
    event = b'{"time":"2026-11-23T19:00:00Z","seq":1,"direction":"out","kind":"event","event":"a"}'
    (tmp_path / "torn.ndjson").write_bytes(b"%b\nno\n[]\n%b" % (event, event[:50]))
    result = await nsroom("test", "--new", "torn.ndjson")
    assert (result.code, result.lines[1:]) == (8, ["c1: connect /", "c1: emit a"])
    complaint = "nsroom: torn.ndjson: 3 unreadable lines left out of the scenario; the first is line 2: "
    assert result.stderr.startswith(complaint)
