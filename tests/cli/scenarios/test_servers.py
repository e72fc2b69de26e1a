"""The server of a scenario: it starts, stops, is killed, and does not outlive the scenario."""

import sys
from pathlib import Path

import pytest

from nsroom.scenarios.result import StepError
from nsroom.scenarios.servers import OwnServer, free_port

LISTENS = """
import os, socket, signal
listening = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
open("started", "a").write("x")
while True: listening.accept()[0].close()
"""


def own(code: str, folder: Path, port: int) -> OwnServer:
    return OwnServer([sys.executable, "-c", code], folder, port)


async def test_start_stop_and_start_again(tmp_path: Path) -> None:
    server = own(LISTENS, tmp_path, free_port())
    await server.start()
    with pytest.raises(StepError, match="listens on port"):
        await server.start()
    await server.stop()
    await server.start()
    await server.kill()
    assert (tmp_path / "started").read_text() == "xx"


async def test_a_server_that_ends_shows_its_last_lines(tmp_path: Path) -> None:
    server = own("import sys; sys.exit('no database')", tmp_path, free_port())
    with pytest.raises(StepError, match="the server ended with code 1") as raised:
        await server.start()
    await server.stop()
    assert raised.value.details[-1:] == ("no database",)


async def test_a_server_that_does_not_exist(tmp_path: Path) -> None:
    server = OwnServer(["/no/such/server"], tmp_path, free_port())
    with pytest.raises(StepError, match="cannot run /no/such/server: No such file"):
        await server.start()
    await server.stop()
