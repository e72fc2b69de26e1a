"""`nsroom serve`, the real program."""

import asyncio
import json
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import StartServer
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
    await server.err(f" someone connected namespace=/my-namespace sid={ann.sid} ")
    await ann.client.disconnect()
    server.signal(number)
    result = await server.result()
    assert (result.code, result.stdout) == (code, "")
    assert (tmp_path / "state" / "nsroom" / "history.db").exists()


async def test_a_pong_that_came_while_it_was_stopped_counts(serve: StartServer) -> None:
    server = await serve("--ping-interval", "1", "--ping-timeout", "1")
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    async with asyncio.timeout(20), aiohttp.ClientSession() as session, session.ws_connect(url) as client:
        while await client.receive_str() != "2":
            pass
        server.proc.signal(signal.SIGSTOP)
        await client.send_str("3")
        await asyncio.sleep(2)
        server.proc.signal(signal.SIGCONT)
        assert await client.receive_str() == "2"


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
        (("--log-format", "xml"), "nsroom: --log-format 'xml': choose text or json"),
        (("--fault", "slow"), "nsroom: fault 'slow'"),
        (("--admin-write",), "nsroom: --admin-write needs --admin"),
        (("--admin", ":x"), "nsroom: an administrator needs a name"),
        (("--admin", "ann:"), "nsroom: an administrator needs a name"),
        (("--admin", "@/nowhere"), "nsroom: admin file /nowhere"),
        (("--limit", "history_messages=0"), "nsroom: limit history_messages"),
        (("--recovery", "1", "--conformance"), "nsroom: --recovery works with the chat and with --script"),
        (("--recovery", "-1"), "nsroom: recovery -1"),
        (("--fault", "forget"), "nsroom: fault forget: there is nothing to forget without --recovery"),
        (("--json",), "nsroom: --json needs --print-limits"),
    ],
)
async def test_usage_errors(nsroom: Runner, args: tuple[str, ...], complaint: str) -> None:
    result = await nsroom("serve", "--port", "0", *args)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(complaint)
    assert result.stderr.count("\n") == 1


async def test_an_administrator_with_a_generated_password(spawn: Spawner, nsroom: Runner) -> None:
    server = await spawn("serve", "--port", "0", "--history", "none", "--admin", "ann")
    stderr = await server.err("nsroom: listening on", timeout=20)
    listening, password = (
        LISTENING.search(stderr),
        re.search(r"the password of ann for /admin is (\S{16})\n", stderr),
    )
    assert listening
    assert password
    member = await spawn("join", "lobby", "-u", listening[1], "-n", "/chat", "--json")
    await member.seen(event="join-room")
    seen = await nsroom("sockets", "-u", listening[1], "--json", "--admin-auth", f"ann:{password[1]}")
    assert [(each["namespace"], each["rooms"]) for each in map(json.loads, seen.lines)] == [
        ("/chat", ["lobby"])
    ]
    refused = await nsroom("sockets", "-u", listening[1], "--admin-auth", "ann:guess")
    assert (refused.code, "invalid credentials" in refused.stderr) == (4, True)


async def test_an_administrator_may_act_with_admin_write(
    spawn: Spawner, nsroom: Runner, tmp_path: Path
) -> None:
    (tmp_path / "admin").write_text("ann:secret\n")
    command = ("serve", "--port", "0", "--history", "none", "--admin", f"@{tmp_path / 'admin'}")
    for more, code in (((), 4), (("--admin-write",), 0)):
        server = await spawn(*command, *more)
        listening = LISTENING.search(await server.err("nsroom: listening on", timeout=20))
        assert listening
        member = await spawn("connect", "/chat", "-u", listening[1], "--json", "--no-reconnect")
        await member.seen(event="hi")
        sid = await _sid(nsroom, listening[1])
        kicked = await nsroom(
            *("kick", sid, "-u", listening[1], "--admin-auth", "ann:secret", "--write", "--yes")
        )
        assert kicked.code == code


async def _sid(nsroom: Runner, url: str) -> str:
    seen = await nsroom("sockets", "-u", url, "--json", "--admin-auth", "ann:secret")
    return str(json.loads(seen.lines[0])["sid"])


async def test_faults_are_reported_at_the_start(spawn: Spawner) -> None:
    server = await spawn("serve", "--port", "0", "--history", "none", "--fault", "no-ack,reject=/chat")
    stderr = await server.err("misbehaving on purpose", timeout=20)
    assert stderr.splitlines()[-1] == "nsroom: misbehaving on purpose: no-ack,reject=/chat"
