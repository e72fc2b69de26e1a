"""The options of every command: -q, -v, --color and --debug."""

import signal
import socket

import pytest

from nsroom.cli.common_options import leading
from tests.peers.program import Runner, Server, Spawner


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("", 0),
        ("emit -q", 0),
        ("-q emit", 1),
        ("-qv --debug emit x", 2),
        ("--color never --color=auto connect", 3),
        ("--color", 1),
        ("-V -q", 0),
        ("--colour never", 0),
    ],
)
def test_the_options_before_a_command(line: str, count: int) -> None:
    assert leading(line.split()) == count


@pytest.mark.parametrize("line", ["-q {}", "{} -q", "--quiet {}", "{} --quiet"])
async def test_quiet_prints_only_errors(line: str, nsroom: Runner, server: Server) -> None:
    talk = line.format(f"connect -C 1 -u {server.url}")
    result = await nsroom(*talk.split())
    assert (result.code, result.stderr) == (0, "")
    failing = line.format("emit x -u :1")
    assert (await nsroom(*failing.split())).stderr.startswith("nsroom: cannot connect to ")


@pytest.mark.parametrize("line", ["-v emit x", "emit x --verbose", "call who lobby -v"])
async def test_verbose_says_how_the_server_is_reached(line: str, nsroom: Runner, server: Server) -> None:
    result = await nsroom(*line.split(), "-u", server.url)
    assert f"nsroom: connected to {server.url} over websocket\n" in result.stderr
    silent = await nsroom(*line.replace("--verbose", "").replace("-v", "").split(), "-u", server.url)
    assert silent.stderr == ""


async def test_colours_are_chosen(nsroom: Runner, server: Server) -> None:
    async def shown(*args: str, **env: str) -> str:
        result = await nsroom("connect", "-u", server.url, "-C", "1", "--plain", *args, env=env)
        return result.stdout

    assert "\x1b[" not in await shown()
    assert "\x1b[" in await shown("--color", "always")
    assert "\x1b[" in await shown(FORCE_COLOR="1")
    assert "\x1b[" in await shown(CLICOLOR_FORCE="1")
    assert "\x1b[" not in await shown(FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[" not in await shown("--color", "never", FORCE_COLOR="1")


async def test_an_unknown_colour(nsroom: Runner) -> None:
    for line in ("--color red emit x --offline", "emit x --offline --color red"):
        result = await nsroom(*line.split())
        assert (result.code, result.stdout) == (2, "")
        assert result.stderr == "nsroom: --color 'red': choose auto, always or never\n"


async def test_a_quiet_server(spawn: Spawner, nsroom: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    server = await spawn("serve", "-q", f":{port}", "--history", "none")
    codes = [(await nsroom("connect", f":{port}", "-C", "1")).code]
    while codes[-1] == 3 and len(codes) < 30:
        codes.append((await nsroom("connect", f":{port}", "-C", "1")).code)
    server.signal(signal.SIGTERM)
    assert (codes[-1], await server.end(), server.stderr.text) == (0, 0, "")
