"""`nsroom doctor`, the real program: its usage, its report and its exit codes."""

import pytest

from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Result, Runner, Server


async def test_a_good_server_is_code_0(nsroom: Runner, server: Server) -> None:
    result = await nsroom("doctor", server.url, "--json")
    assert (result.code, result.stderr) == (0, "")
    assert {report["state"] for report in result.records()} == {"ok", "skipped"}


async def test_a_problem_is_code_1_with_a_fix_to_paste(nsroom: Runner, server: Server) -> None:
    result = await nsroom("doctor", f"{server.url}/nope")
    assert result.code == 1
    assert result.stderr == (
        'nsroom: 1 check failed: namespace: /nope is refused: "Invalid namespace"; / exists; '
        'server, Node: io.of("/nope").on("connection", (socket) => { /* … */ });\n'
    )
    assert '        io.of("/nope").on("connection"' in result.stdout


async def test_a_port_without_a_server_fits_on_a_small_screen(nsroom: Runner) -> None:
    async with bad.refuses_connections() as url:
        result = await nsroom("doctor", url)
    assert [line[:5] for line in result.lines if not line.startswith(" ")] == ["✔ dns", "✘ tcp", "– 26 "]
    assert len(result.lines) <= 22
    assert "refuses the connection; shell: ss -ltnp 'sport = :" in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--origin", "example.org"), "--origin 'example.org': write it as https://example.org"),
        (("--origin", "https://example.org/page"), "--origin 'https://example.org/page': write it as https:"),
        (("--origin", "https://\x1b[31m"), r"--origin 'https://\x1b[31m': write it as https:"),
        (("--origin", "nulls"), "--origin 'nulls': write it as https://example.org"),
        (("--event-args", "1"), "--event-args needs --event"),
        (("--event", "x", "--event-args", "{"), "--event-args: not JSON"),
        (("--event", "disconnect"), "--event 'disconnect' is a reserved name"),
        (("--soak", "-1"), "--soak '-1': must be a number of seconds"),
    ],
)
async def test_usage(options: tuple[str, ...], complaint: str, nsroom: Runner) -> None:
    result = await nsroom("doctor", *options)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: {complaint}")


@pytest.mark.parametrize(
    ("origin", "remedy"),
    [
        ("null", 'origin: ["null"]'),
        ("file://", 'origin: "file://"'),
        ("capacitor://localhost", 'origin: "capacitor://localhost"'),
        ("https://example.org/", 'origin: "https://example.org"'),
    ],
)
async def test_the_origin_of_a_page(
    origin: str, remedy: str, nsroom: Runner, python_server: StartServer
) -> None:
    result = await nsroom("doctor", (await python_server()).url, "--origin", origin)
    assert result.stderr.startswith("nsroom: 1 check failed: cors: with this Origin, HTTP 400")
    assert remedy in result.stdout


async def test_a_client_s_message_is_explained_offline(nsroom: Runner) -> None:
    result = await nsroom("doctor", "--explain", "xhr poll error")
    assert (result.code, result.stderr) == (0, "")
    assert "xhr poll error" in result.lines[0]
    assert result.lines[1].startswith("  - ")
    listed = await nsroom("doctor", "--explain", "xhr poll error", "--json")
    assert all(found["words"] and found["causes"] for found in listed.records())


async def test_an_unknown_message_is_code_1(nsroom: Runner) -> None:
    message = "nsroom: no known error matches: paste the message exactly as the client printed it\n"
    assert await nsroom("doctor", "--explain", "bananas") == Result(1, "", message)
