"""The records that `connect` and `join` show, and the lines that they send, with the real program."""

import json

from tests.peers import bad
from tests.peers.program import Runner, Server, Spawner


async def test_plain_lines_in_a_pipe(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "-u", server.url, "-C", "1", "--plain")
    clock, sign, event, text = result.stdout.split()
    assert (len(clock), sign, event, text) == (12, "←", "hi", '"everyone!"')


async def test_lines_typed_on_a_terminal_are_sent(spawn: Spawner, server: Server) -> None:
    watcher = await spawn("connect", "/lab", "-u", server.url, "--plain", tty=True)
    await watcher.err("everyone!")
    watcher.type('["echo",{"n":41}]\r')
    await watcher.err("{n: 41}")
    watcher.type("\x03")
    assert await watcher.end() == 130
    assert '{"time"' not in watcher.stdout.text


async def test_json_on_a_terminal(spawn: Spawner, server: Server) -> None:
    watcher = await spawn("connect", "-u", server.url, "-C", "1", "--json", tty=True)
    assert await watcher.end() == 0
    assert '"event":"hi"' in watcher.stdout.text
    assert "\x1b" not in watcher.stdout.text


async def test_stdin_lines_are_text_events_and_records(nsroom: Runner, server: Server) -> None:
    record = {"event": "echo", "args": [3], "namespace": "/lab", "kind": "event", "direction": "out"}
    lines = ["", '["echo",1,{"$binary":"AQI="}]', json.dumps(record)]
    command = ("connect", "/lab", "/chat", "-u", server.url, "--stdin", "--where", "event=echo", "-C", "2")
    result = await nsroom(*command, stdin="\n".join(lines))
    assert [event["args"] for event in result.records()] == [[1, {"$binary": "AQI="}], [3]]


async def test_text_is_a_message(nsroom: Runner) -> None:
    received: list[str] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        received.append(str(await talk.receive()))
        await talk.send('42["done"]')
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("connect", url, "--stdin", "-C", "1", stdin="good morning\r\n")
    assert (result.code, received) == (0, ['42["message","good morning"]'])


async def test_a_line_asks_for_an_answer_where_the_server_is_known_to_give_one(nsroom: Runner) -> None:
    received: list[str] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.receive()
        await talk.send('430[{"ok":true,"room":"lobby","members":[],"history":[]}]')
        received.append(str(await talk.receive()))
        await talk.send('431[{"error":"too_late"}]', '42["done"]')
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("join", "lobby", "-u", url, "--stdin", "-C", "1", stdin="hello\n")
    assert (result.code, received) == (0, ['421["message",{"room":"lobby","text":"hello"}]'])
    assert "nsroom: refused: too_late\n" in result.stderr


async def test_stdin_is_not_sent_without_the_option(nsroom: Runner, server: Server) -> None:
    command = ("connect", "/lab", "-u", server.url, "--where", "dir=out & kind=event", "-W", "0.7")
    result = await nsroom(*command, stdin='["echo",1]\n')
    assert (result.code, result.stdout) == (5, "")
