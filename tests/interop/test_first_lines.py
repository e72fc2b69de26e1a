"""Lines that people type who know other tools: each does what was meant, or names the line that does.

The lines run against the reference server (`S`), a stock Node server (`J`), one without
acknowledgements (`G`) and a stock python-socketio server (`P`). A line that is wrong is answered
with code 2 and a corrected line, which is pasted and must work.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import StartServer
from tests.peers.program import Result, Runner, Server


class Meant(NamedTuple):
    """What a line should do: its exit code, and a text that it prints somewhere."""

    code: int
    text: str = ""


class Hint(NamedTuple):
    """The corrected line that is printed, and what that line should do."""

    line: str
    meant: Meant


OK = Meant(0)
CONNECTS = Meant(0, "connected to {J} over websocket")
CHAT = Meant(0, '"namespace":"/chat"')
LINES: list[tuple[str, Meant | Hint]] = [
    ("", Meant(2, "Talk:")),
    ("help", Meant(0, "Talk:")),
    ("help connect", Meant(0, "Usage: nsroom connect")),
    ("connect help", Hint("nsroom help connect", OK)),
    (":{j} --for 1", CONNECTS),
    ("{J} --for 1", CONNECTS),
    ("{hj} --for 1", CONNECTS),
    ("-v {hj} --for 1", CONNECTS),
    ("/chat -C 1", CHAT),
    ("connect {hj} --for 1", CONNECTS),
    ("connect {hp} --for 1", Meant(0, "connected to {P} over websocket")),
    ("connect {hj} -n chat --for 1 --all", CHAT),
    ("connect {hj}/chat --for 1 --all", CHAT),
    ("connect chat -C 1", Hint("nsroom connect /chat -C 1", CHAT)),
    ("connect :{j} chat --for 1 --all", Hint("nsroom connect :{j}/chat --for 1 --all", CHAT)),
    ("connect https://{hj}", Meant(3, "http://")),
    ("connect ws://{hj} --for 1", CONNECTS),
    ("connect {J}/socket.io/ --for 1", CONNECTS),
    ("connect {J}/socket.io/ --for 1", Meant(0, "the URL is that of a request")),
    ("connect 'ws://{hj}/socket.io/?EIO=4&transport=websocket' --for 1", CONNECTS),
    ("connect '{J}/?token=1' --for 1", CONNECTS),
    ("connect --where everyone -C 1", OK),
    ("connect --where 'event == hi and not ns=/chat' -C 1", OK),
    ("connect :1", Meant(3, "cannot connect to http://127.0.0.1:1")),
    ("connect --token x -C 1", Hint("nsroom connect -a token=x -C 1", OK)),
    ("connect --token=x -C 1", Hint("nsroom connect -a token=x -C 1", OK)),
    ("connect -a token=x -C 1", OK),
    ("connect -v -C 1", Meant(0, "connected to {S}")),
    ("connect -q -C 1", OK),
    ("connect --debug -C 1", OK),
    ("connect --no-color -C 1", Hint("nsroom connect --color never -C 1", OK)),
    ("connect -c {S} -C 1", Hint("nsroom connect -u {S} -C 1", OK)),
    ("connect -W 1 --where event=never", Meant(5, "--for")),
    ("connect --for 1", OK),
    ("conect -C 1", Hint("nsroom connect -C 1", OK)),
    ("listen /chat -C 1", Hint("nsroom connect /chat -C 1", CHAT)),
    ("watch -C 1", Hint("nsroom connect -C 1", OK)),
    ("sub chat -C 1", Hint("nsroom connect /chat -C 1", CHAT)),
    ("subscribe /chat -C 1", Hint("nsroom connect /chat -C 1", CHAT)),
    ("monitor -C 1", Hint("nsroom connect -C 1", OK)),
    ("monitor", Meant(2, "`tail` watches a whole instrumented server")),
    ("send message hi", Hint("nsroom emit message hi", OK)),
    ("pub message hi", Hint("nsroom emit message hi", OK)),
    ("publish message hi", Hint("nsroom emit message hi", OK)),
    ("emit", Hint("""nsroom emit hello '{{"from":"the shell"}}'""", OK)),
    ("emit message hi", OK),
    ("emit /chat message hi -v", OK),
    ("emit {J} message hi -v", CONNECTS),
    ("emit :{j}/chat message hi -v", CONNECTS),
    ("emit {hj} message hi -v", Hint("nsroom emit message hi -v -u {hj}", CONNECTS)),
    ("emit chat message hi --offline", Meant(0, '42["chat","message","hi"]')),
    ("""emit m '{{"a": 1}}' --offline""", Meant(0, '42["m",{"a":1}]')),
    ("emit m a=1 --offline", Meant(0, '42["m",{"a":"1"}]')),
    ("emit m a:=1 --offline", Meant(0, '42["m",{"a":1}]')),
    ("emit temp -5 --offline", Meant(0, '42["temp",-5]')),
    ("emit temp 1e3 1.0 12345678901234567890 --offline", Meant(0, '["temp",1e3,1.0,12345678901234567890]')),
    ("emit m -hello --offline", Hint("nsroom emit --offline -- m -hello", Meant(0, '"-hello"'))),
    ("emit news hi --to lobby -u {J}", Meant(5, "--via admin")),
    ("emit news hi --to lobby -u {P}", Meant(5, "--via admin")),
    ("emit news hi --to lobby", OK),
    ("call add 2 3 -u :{j}", Meant(0, "[2, 3]")),
    ("call :{j} add 2 3", Meant(0, "[2, 3]")),
    ("call -u {P} add 2 3", Meant(0, "[2, 3]")),
    ("call /lab never --timeout 0.5", Meant(5, "no acknowledgement")),
    ("emit /lab ask event=question --ack --timeout 0.5", Meant(5, "(see `nsroom reply --help`)")),
    (
        "answer question ok:=true -C 1 -W 0",
        Hint("nsroom reply question ok:=true -C 1 -W 0", Meant(5, "--wait")),
    ),
    ("join", Hint("nsroom join lobby", Meant(0, "joined lobby"))),
    ("join lobby --for 1", Meant(0, "joined lobby")),
    ("join /chat lobby --for 1", Meant(0, "joined lobby")),
    ("join :{j}/chat lobby --for 1", CONNECTS),
    ("join lobby /chat --for 1", Hint("nsroom join /chat lobby --for 1", Meant(0, "joined lobby"))),
    ("rooms", OK),
    ("rooms {S}", OK),
    ("rooms -u {G} --timeout 1", Meant(5, ".instrument(io, ")),
    ("rooms -u {G} --timeout 1", Meant(5, "nsroom proxy ")),
    ("rooms / -u {S}", OK),
    ("""decode '42["a",1]'""", Meant(0, '"frame":"42')),
    ("""decode '["a",1]'""", Meant(0, "hint")),
    ("""decode '2["a",1]'""", Meant(0, "hint")),
    ("""'42["a",1]'""", Hint("""nsroom decode -f '42["a",1]'""", OK)),
    ("replay run.ndjson --view", Hint("nsroom show run.ndjson", Meant(0, '"event":"a"'))),
    ("run.ndjson", Hint("nsroom show run.ndjson", Meant(0, '"event":"a"'))),
    ("doctor", Meant(0, "accepts connections")),
    ("doctor :{j}/nope", Meant(1, "namespace")),
    ("kick --room lobby", Meant(2, "--write")),
    ("demo :{j}", Hint("nsroom connect :{j}", CONNECTS)),
]
ENDLESS = ("nsroom connect :{j}", "nsroom join lobby")
"""Corrected lines that run until they are interrupted; the test gives them an end."""


def filled(text: str, servers: Mapping[str, Server]) -> str:
    """Return a text with the servers' URLs, hosts with port (`hj`) and ports (`j`) in it."""
    names = {name: server.url for name, server in servers.items()}
    names |= {f"h{name.lower()}": server.url.partition("//")[2] for name, server in servers.items()}
    names |= {name.lower(): server.url.rpartition(":")[2] for name, server in servers.items()}
    return text.format(**names)


def check(result: Result, meant: Meant, servers: Mapping[str, Server]) -> None:
    text = meant.text
    for name, server in servers.items():
        text = text.replace(f"{{{name}}}", server.url)
    shown = (result.stdout + result.stderr).replace("//localhost:", "//127.0.0.1:")
    assert (result.code, text in shown) == (meant.code, True), shown


@pytest.mark.timeout(500)
async def test_every_line(
    nsroom: Runner, server: Server, node_server: StartServer, python_server: StartServer, tmp_path: Path
) -> None:
    servers = {
        "S": server,
        "J": await node_server("server4.js"),
        "G": await node_server("gist.js"),
        "P": await python_server(),
    }
    (tmp_path / "run.ndjson").write_text('{"event":"a","args":[]}\n')
    env = {"NSROOM_URL": server.url}
    for line, expected in LINES:
        result = await nsroom(*shlex.split(filled(line, servers)), env=env)
        if isinstance(expected, Meant):
            check(result, expected, servers)
            continue
        assert (result.code, result.stdout) == (2, ""), line
        corrected = result.stderr.splitlines()[-1].strip()
        assert corrected == filled(expected.line, servers)
        words = shlex.split(corrected)[1:]
        if expected.line in ENDLESS:
            words += ["--for", "1"]
        check(await nsroom(*words, env=env), expected.meant, servers)
