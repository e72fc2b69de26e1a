"""`nsroom demo`, the real program: all of nsroom in one command."""

import json
import os
import re
import signal

import pytest

from tests.peers.program import Runner, Spawner


async def test_in_a_pipe_it_prints_the_transcript_and_exits(nsroom: Runner) -> None:
    result = await nsroom("demo")
    assert result.code == 0
    texts = [record["args"][0]["text"] for record in result.records() if record.get("event") == "message"]
    assert texts == ["did the deploy go out?", "the deploy is through", "thanks! watching the prices now"]
    events = {record.get("event") for record in result.records()}
    assert {"hi", "create-room", "join-room", "leave-room", "price", "chart"} <= events
    server, *_ = result.stderr.splitlines()
    assert re.fullmatch(
        r"nsroom: a server is running on (http://127\.0\.0\.1:\d+); try `nsroom join lobby -u \1/chat`",
        server,
    )


async def test_head_ends_it_silently(shell: Runner) -> None:
    result = await shell("nsroom demo 2>/dev/null | head -1; echo ${PIPESTATUS[0]}")
    assert result.lines[0].startswith('{"time"')
    assert result.lines[1:] == ["141"]
    assert result.stderr == ""


async def test_others_may_join(spawn: Spawner, nsroom: Runner) -> None:
    demo = await spawn("demo", tty=True, env={"TERM": "dumb"})
    stderr = await demo.err("did the deploy go out?", timeout=20)
    url = re.search(r"http://127\.0\.0\.1:\d+", stderr)
    assert url
    result = await nsroom("call", "who", "room=lobby", "-u", f"{url[0]}/chat")
    members = json.loads(result.stdout)["members"]
    assert sorted(member["nick"] for member in members) == ["ann", "bob", "me"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_on_a_terminal_it_runs_until_a_signal(spawn: Spawner, number: int, code: int) -> None:
    demo = await spawn("demo", tty=True, env={"TERM": "dumb"})
    await demo.err("ACME", timeout=20)
    demo.signal(number)
    assert await demo.end(5) == code
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


async def test_ctrl_c_ends_it(spawn: Spawner) -> None:
    demo = await spawn("demo", tty=True, env={"TERM": "dumb"})
    await demo.err("joined lobby", timeout=20)
    demo.type("\x03")
    assert await demo.end(5) == 130
    assert "Traceback" not in demo.stdout.text


async def test_typed_text_is_a_message(spawn: Spawner) -> None:
    demo = await spawn("demo", tty=True, env={"TERM": "dumb"})
    await demo.err("joined lobby", timeout=20)
    demo.type("hello from me\r")
    await demo.err("lobby  me: hello from me")
