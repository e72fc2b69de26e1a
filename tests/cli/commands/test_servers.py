"""Servers by name: listed, checked, and taken wherever a target or -u is; secrets stay where they are."""

import json
from pathlib import Path

import pytest

from nsroom.cli.configuration import PROJECT_FILE
from tests.conftest import StartServer
from tests.peers.program import Runner, Server


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    """A project whose folder is the current one."""
    file = tmp_path / PROJECT_FILE
    file.write_text(
        f'[servers.prod]\nurl = "{server.url}"\nnamespace = "/chat"\n'
        f'[servers.staging]\nurl = "{server.url}/lab"\n'
    )
    return file


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("line", "namespace"),
    [
        ("connect prod", "/chat"),
        ("prod", "/chat"),
        ("connect prod/my-namespace", "/my-namespace"),
        ("connect staging", "/lab"),
        ("connect -u prod", "/chat"),
        ("connect -u staging/chat", "/chat"),
        ("connect /my-namespace -u prod", "/my-namespace"),
        ("join -u prod lobby", "/chat"),
    ],
)
async def test_a_name_is_taken_as_a_target(line: str, namespace: str, nsroom: Runner) -> None:
    result = await nsroom(*line.split(), "-C", "1", "--no-reconnect", "--all", "--where", "kind=connect")
    assert [record["namespace"] for record in result.records()] == [namespace]
    assert result.code == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("connect porx", "unknown server 'porx'; did you mean prod?\n  nsroom connect prod\n"),
        ("connect -u porx", "unknown server 'porx'; did you mean prod?"),
        ("connect prod staging", "one connection has one server, but two are named: prod and staging"),
    ],
)
async def test_wrong_names(line: str, message: str, nsroom: Runner) -> None:
    result = await nsroom(*line.split())
    assert result.code == 2
    assert message in result.stderr


async def test_a_server_needs_its_options(serve: StartServer, nsroom: Runner, tmp_path: Path) -> None:
    server = await serve("--token", "secret")
    (tmp_path / "auth.txt").write_text("token=secret")
    table = f'[servers.prod]\nurl = "{server.url}"\n'
    for credentials, code in (
        ('auth = "@auth.txt"', 0),
        ('auth-command = "echo token=secret"', 0),
        ("", 4),
    ):
        (tmp_path / PROJECT_FILE).write_text(table + credentials)
        result = await nsroom("call", "-u", "prod", "who", "lobby")
        assert result.code == code
        assert "secret" not in result.stderr
    (tmp_path / PROJECT_FILE).write_text(table + 'auth = "@auth.txt"')
    assert (await nsroom("call", "-u", "prod", "who", "lobby", "-a", "token=wrong")).code == 4
    wrong = await nsroom("call", "-u", "prod", "who", "lobby", env={"NSROOM_AUTH": "token=wrong"})
    assert wrong.code == 4


async def test_the_list_and_the_check(project: Path, nsroom: Runner, server: Server) -> None:
    rows = (await nsroom("servers", "--json")).records()
    assert [(row["server"], row["url"], row["namespaces"]) for row in rows] == [
        ("prod", server.url, ["/chat"]),
        ("staging", server.url, ["/lab"]),
    ]
    assert (await nsroom("servers", "--check")).code == 0
    with project.open("a") as file:
        file.write('[servers.dead]\nurl = "http://127.0.0.1:1"\n')
    checked = await nsroom("servers", "--check", "--json")
    assert checked.code == 1
    states = {row["server"]: row["state"] for row in map(json.loads, checked.lines)}
    assert states.pop("dead").startswith("cannot connect to http://127.0.0.1:1: ")
    assert states == {"prod": "ok", "staging": "ok"}


async def test_without_any(nsroom: Runner) -> None:
    result = await nsroom("servers")
    assert (result.code, result.stdout) == (0, "")
    assert "add [servers.NAME] with a url to" in result.stderr
