"""Ways to a server besides its host name: a Unix socket, and --resolve."""

from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Spawner


@pytest.mark.parametrize("transport", ["websocket", "polling", "auto"])
async def test_a_unix_socket(transport: str, nsroom: Runner, node_script: Spawner, tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    server = await node_script("lab4.js", str(path))
    await server.record(timeout=20)
    for line in ((f"unix:{path}:/my-namespace",), ("-u", f"unix:{path}", "/my-namespace")):
        result = await nsroom("connect", *line, "-C", "1", "--transport", transport)
        assert [record["args"] for record in result.records()] == [["everyone!"]]
        assert f"connected to unix:{path} over" in result.stderr
    answer = await nsroom("call", f"unix:{path}:/lab", "echo", "5", env={"HTTP_PROXY": "http://127.0.0.1:1"})
    assert answer.stdout == "5\n"


async def test_a_socket_without_a_server(nsroom: Runner, tmp_path: Path) -> None:
    result = await nsroom("connect", f"unix:{tmp_path}/none.sock")
    assert result.code == 3
    assert "No such file or directory" in result.stderr
    for command in ("doctor", "bench", "proxy"):
        refused = await nsroom(command, f"unix:{tmp_path}/none.sock")
        assert (refused.code, "needs a TCP address" in refused.stderr) == (2, True)
    assert (await nsroom("connect", "unix:")).code == 2


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_another_address(transport: str, nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--allowed-host", "app.example")
    port = server.url.rpartition(":")[2]
    line = (f"http://app.example:{port}", "--resolve", f"app.example:{port}:127.0.0.1")
    result = await nsroom("connect", *line, "-C", "1", "--transport", transport)
    assert (result.code, len(result.lines)) == (0, 1)
    assert f"connected to http://app.example:{port}" in result.stderr
