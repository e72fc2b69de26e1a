"""Whatever a server says, a terminal gets only what nsroom itself has to say to it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers import bad
from tests.peers.program import Result, Spawner

CONTROLS = "\x1b]52;c;aGk=\x07\x1b]0;title\x07\x1b[31m\x1b[2J\x9b2J\x9d0;t\x9c\x90q\x01red\x02\x7f\r\n\t\b"
HIDING = "\u202edesrever\u2066\u200b\ufeff\U000e0041\u2028[link=http://x][red]a[/red][/link]"
HOSTILE = CONTROLS + HIDING
LONE = "\ud800"
OURS = re.compile(r"\x1b\[(?:0|1|2|31|32|36)m|\r\x1b\[K|\r(?=\n)")
"""The colours of our lines, the wiping of the progress line, and what a terminal makes of a line break."""
VIEW = re.compile(r"\x1b\]11;\?\x1b\\|\x1b\]2;[^\x00-\x1f\x7f-\x9f]*\x07")
"""The view's question for the background, and its title."""

Peer = Callable[[], bad.Peer]


def assert_harmless(text: str) -> None:
    """Fail where anything but printable text and our own sequences has reached the terminal."""
    left = OURS.sub("", text).replace("\n", "")
    assert [character for character in left if not character.isprintable()] == [], text


@pytest.mark.parametrize("character", sorted({each for each in HOSTILE if not each.isprintable()} - {"\n"}))
def test_the_rule_catches(character: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(f"a{character}b")


def quoted(value: Any) -> str:
    """Write JSON with every character that JSON allows raw left raw, and lone surrogates escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(f"\\u{ord(each):04x}" if "\ud800" <= each <= "\udfff" else each for each in text)


async def run_on_terminal(spawn: Spawner, *args: str) -> Result:
    """Run nsroom on a terminal to its end."""
    program = await spawn(*args, tty=True, cols=200)
    result = await program.result(20)
    assert_harmless(result.stdout)
    return result


def talkative() -> bad.Peer:
    """Send hostile text wherever a server can send text."""
    everywhere = {HOSTILE: [HOSTILE, LONE, {"room": HOSTILE, "nick": HOSTILE, "text": HOSTILE}]}
    presence = {"room": HOSTILE, "nick": HOSTILE, "sid": HOSTILE, "members": 1}
    message = {"room": HOSTILE, "nick": HOSTILE, "from": HOSTILE, "text": HOSTILE + LONE}
    frames = [
        f"42{quoted([HOSTILE, HOSTILE, everywhere])}",
        f"42{json.dumps([HOSTILE, LONE, everywhere])}",
        *(
            f"42{quoted([name, presence])}"
            for name in ("join-room", "leave-room", "create-room", "delete-room")
        ),
        f"42{quoted(['message', message])}",
        f'42/{CONTROLS.replace(",", "")}{HIDING},["a"]',
        f'42["cut{HOSTILE}',
        f"9{HOSTILE}",
        f"4{HOSTILE}",
        HOSTILE,
        f"43{quoted([HOSTILE])}",
        f"40/{HIDING},{quoted({'sid': HOSTILE})}",
        f"44/{HIDING},{quoted({'message': HOSTILE, 'data': everywhere})}",
        f"41/{HIDING},",
        '451-["blob",{"_placeholder":true,"num":0}]',
        CONTROLS.encode(),
        '42["end"]',
    ]

    async def script(talk: bad.Conversation) -> None:
        await talk.send(f"0{quoted(bad.OPEN | {'sid': HOSTILE})}")
        await talk.receive()
        await talk.send(f"40{quoted({'sid': HOSTILE, 'pid': HOSTILE})}", *frames)
        await talk.receive()

    return bad.conversation(script)


@pytest.mark.parametrize("colour", [[], ["NO_COLOR"]], ids=["colour", "plain"])
async def test_plain_lines(spawn: Spawner, colour: list[str]) -> None:
    async with talkative() as url:
        command = ("connect", url, "--plain", "--all", "--raw", "--no-reconnect")
        program = await spawn(*command, tty=True, env=dict.fromkeys(colour, "1"), cols=400)
        text = await program.err("\x1b[1mend" if not colour else "  end", timeout=15)
        program.type("\x03")
        assert await program.end() == 130
    assert_harmless(text.replace("^C", ""))
    assert "\\x1b]52;c;aGk=\\x07" in text
    assert "\\x9b2J" in text
    assert "\\u202e" in text
    assert "[link=http://x][red]" in text
    assert ("\x1b" in text) is not colour


async def test_plain_lines_in_a_pipe_and_json_are_harmless_too(spawn: Spawner) -> None:
    for option, last in (("--plain", "  end"), ("--json", '"end"')):
        async with talkative() as url:
            program = await spawn("connect", url, option, "--all", "--raw")
            text = await program.stdout.wait_for(last, 15)
        assert_harmless(text)
        assert "\x1b" not in text


async def test_the_live_view(spawn: Spawner) -> None:
    async with talkative() as url:
        program = await spawn("connect", url, "--all", tty=True, cols=200, rows=50)
        text = VIEW.sub("", await program.err("end", timeout=15))
    assert not re.search(r"\x1b[\]PX^_]", text), "an operating system command or another string"
    assert not set(text) & set("\x01\x02\x07\x90\x9b\x9c\x9d\u202e\u2066\u200b\ufeff\U000e0041\u2028")


REFUSAL = {"message": HOSTILE, "data": {HOSTILE: HOSTILE}}


@pytest.mark.parametrize(
    "command", [("connect", "--plain"), ("join", "x", "--plain"), ("emit", "x"), ("call", "x"), ("rooms",)]
)
async def test_a_refusal(spawn: Spawner, command: Sequence[str]) -> None:
    async with bad.refuses(REFUSAL) as url:
        result = await run_on_terminal(spawn, *command, "-u", url)
    assert result.code == 4
    assert " / is refused: \\x1b]52;c;aGk=\\x07" in result.stdout


def answers(args: Any) -> bad.Peer:
    """Acknowledge every event with these arguments."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            frame = str(await talk.receive())
            if frame.startswith("42"):
                await talk.send(f"43{frame[2 : frame.index('[')]}{quoted(args)}")

    return bad.conversation(script)


NACK = [{"error": HOSTILE, "message": HOSTILE, HOSTILE: 1}]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("call", "x"), 7),
        (("emit", "x", "--ack", "--json"), 7),
        (("emit", "x", "--room", "r"), 4),
        (("join", "x", "--plain"), 4),
        (("rooms",), 7),
    ],
)
async def test_an_answer_that_is_an_error(spawn: Spawner, command: Sequence[str], code: int) -> None:
    async with answers(NACK) as url:
        result = await run_on_terminal(spawn, *command, "-u", url)
    assert result.code == code
    assert "\\x1b]52;c;aGk=\\x07" in result.stdout


async def test_an_answer(spawn: Spawner) -> None:
    async with answers([HOSTILE, {HOSTILE: [LONE]}]) as url:
        result = await run_on_terminal(spawn, "call", "x", "-u", url)
    assert result.code == 0
    assert "\\u001b]52" in result.stdout


async def test_rooms_nicks_and_sids(spawn: Spawner) -> None:
    members = [{"nick": HOSTILE + LONE}, {"sid": HOSTILE}, HOSTILE]
    rooms = [{"room": HOSTILE, "count": 3, "members": members}]
    async with answers([{"rooms": rooms}]) as url:
        result = await run_on_terminal(spawn, "rooms", "-u", url)
        listed = await run_on_terminal(spawn, "rooms", "--json", "-u", url)
    assert (result.code, listed.code) == (0, 0)
    assert "\\x1b]52;c;aGk=\\x07" in result.stdout


@pytest.mark.parametrize("reason", [CONTROLS, HIDING])
async def test_a_reason_for_disconnecting(spawn: Spawner, reason: str) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk._ws.close(code=1008, message=reason.encode()[:120])

    async with bad.conversation(script) as url:
        result = await run_on_terminal(spawn, "connect", url, "--plain", "--all", "--no-reconnect")
    assert result.code == 6


@asynccontextmanager
async def says(answer: str) -> AsyncIterator[str]:
    """Answer every HTTP request with exactly this."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer.encode("utf-8", "surrogateescape"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


BODY = f"0{{{HOSTILE}"
CODE = quoted({"code": HOSTILE, "message": HOSTILE})
HTTP = {
    "status": f"HTTP/1.1 418 {CONTROLS}{HIDING}\r\nContent-Length: 0\r\n\r\n",
    "no http": f"{HOSTILE}\r\n\r\n",
    "location": f"HTTP/1.1 302 Found\r\nLocation: /{HIDING}\x9b2J\r\nContent-Length: 0\r\n\r\n",
    "type": f"HTTP/1.1 200 OK\r\nContent-Type: x/{HIDING}\x9b\r\nContent-Length: 2\r\n\r\nno",
    "code": f"HTTP/1.1 400 Bad\r\nContent-Length: {len(CODE.encode())}\r\n\r\n{CODE}",
    "handshake": f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY.encode())}\r\n\r\n{BODY}",
}


@pytest.mark.parametrize("answer", HTTP.values(), ids=list(HTTP))
async def test_no_session(spawn: Spawner, answer: str) -> None:
    async with says(answer) as url:
        command = ("connect", url, "--plain", "--transport", "polling", "--connect-timeout", "3")
        result = await run_on_terminal(spawn, *command)
    assert result.code == 3
    assert result.stdout.count("\n") == 1


async def test_frames_for_decode(spawn: Spawner, tmp_path: Path) -> None:
    frames = [f'42["{HOSTILE}"', f"42{quoted([HOSTILE, LONE])}", f"40/{HIDING},{quoted(REFUSAL)}", HOSTILE]
    (tmp_path / "frames").write_bytes("\n".join(frames).encode("utf-8", "surrogatepass"))
    result = await run_on_terminal(spawn, "decode", "frames", "--plain")
    assert result.code == 8
    assert "\\x1b]52;c;aGk=\\x07" in result.stdout


async def test_a_hostile_recording(spawn: Spawner, tmp_path: Path) -> None:
    (tmp_path / "run.ndjson").write_text(json.dumps({"kind": HOSTILE}) + "\n")
    result = await run_on_terminal(spawn, "replay", "run.ndjson")
    assert result.code == 8


async def test_the_servers_log(spawn: Spawner) -> None:
    command = ("serve", "--port", "0", "--history", "none", "--any-namespace")
    # Without the line above the log, which is drawn with sequences of our own.
    server = await spawn(*command, tty=True, cols=400, env={"TERM": "dumb"})
    stderr = await server.err("listening on")
    found = re.search(r"http://\S+", stderr)
    assert found
    namespace = f"/{HIDING}".replace("[link=http://x]", "")
    result = await spawn("call", "rooms", "-u", found[0], "-n", namespace)
    await result.end()
    assert_harmless(server.stdout.text)
