"""The command `nsroom serve`, as a person types it."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.peers.program import Runner, Spawner
from tests.server.member import Member

LISTENING = re.compile(r"nsroom: listening on (\S+)")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_it_listens_until_a_signal(spawn: Spawner, tmp_path: Path, number: int, code: int) -> None:
    server = await spawn("serve", "--port", "0")
    listening = LISTENING.search(await server.err("nsroom: listening on", timeout=20))
    assert listening
    ann = Member(["/my-namespace"])
    await ann.client.connect(listening[1], namespaces=["/my-namespace"])
    assert await ann.next("hi") == "everyone!"
    await server.err(f"nsroom: someone connected namespace=/my-namespace sid={ann.sid}")
    await ann.client.disconnect()
    server.signal(number)
    result = await server.result()
    assert (result.code, result.stdout) == (code, "")
    assert (tmp_path / "state" / "nsroom" / "history.db").exists()


async def test_a_port_in_use(spawn: Spawner, nsroom: Runner) -> None:
    server = await spawn("serve", "--port", "0", "--history", "none")
    listening = LISTENING.search(await server.err("nsroom: listening on", timeout=20))
    assert listening
    port = listening[1].rpartition(":")[2]
    result = await nsroom("serve", "--port", port, "--history", "none")
    assert result.code == 3
    assert result.stderr == (
        f"nsroom: 127.0.0.1:{port} is in use: stop the server there, "
        "or choose another port (--port 0 picks a free one)\n"
    )


async def test_limits(nsroom: Runner) -> None:
    result = await nsroom("serve", "--print-limits", "--json", "--max-payload", "5000")
    assert (result.code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["max_payload"] == 5000
    result = await nsroom("serve", "--print-limits")
    assert result.lines[0] == "max_payload: 1000000"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("--host", "0.0.0.0"), "nsroom: 0.0.0.0 can be reached from elsewhere"),
        (("-n", "chat"), "nsroom: namespace 'chat'"),
        (("--transports", "pigeon"), "nsroom: transports 'pigeon'"),
        (("--history", "/dev/null/x"), "nsroom: history /dev/null/x"),
        (("--log-format", "xml"), "nsroom: invalid value for '--log-format'"),
        (("--json",), "nsroom: --json goes with --print-limits"),
    ],
)
async def test_usage_errors(nsroom: Runner, args: tuple[str, ...], complaint: str) -> None:
    result = await nsroom("serve", "--port", "0", *args)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(complaint)
    assert result.stderr.count("\n") == 1
