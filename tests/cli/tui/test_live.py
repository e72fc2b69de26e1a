"""The live view of a connection: failures, retries, exit codes and the packets that it sends."""

import shlex

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import after_the_screen, left_on
from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Runner, Server

EMITS = ("say hi", "-t say 5", "say n:=1 to=ann 1e3", "-- -x null", 'say {"a":[1]}')
"""The words of `/emit` and of `nsroom emit`."""
LINES = ('["say","hi"]', " hello [x] ", "[info] it is up", '["say" oops]', '{"temp":21}')
"""Lines of the input and of --stdin; the fourth is refused."""


async def test_a_count_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "-C", "1")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_wait_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "-C", "5", "-W", "1.5")
    assert await terminal.program.end() == 5
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == (
        "nsroom: stopped after 1.5 s (--wait) with fewer than 5 lines; --for 1.5 ends with 0"
    )


async def test_quit_without_a_server(show: Show) -> None:
    terminal = await show("connect", "-u", "http://127.0.0.1:9")
    await terminal.until("try again")
    terminal.press("q")
    assert await terminal.program.end() == 3
    assert left_on(terminal) == []
    assert after_the_screen(terminal).startswith("nsroom: cannot connect to http://127.0.0.1:9")


async def test_quit_while_reconnecting(show: Show, serve: StartServer) -> None:
    server = await serve()
    terminal = await show("connect", "-u", server.url)
    await terminal.until("everyone!")
    await server.proc.kill()
    await terminal.until("trying again")
    terminal.press("\x11")
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []


async def test_quit_with_unconfirmed_events(show: Show, serve: StartServer) -> None:
    server = await serve()
    terminal = await show("connect", "/lab", "-u", server.url)
    await terminal.until("everyone!")
    terminal.press("/call never", "Enter")
    await terminal.until("waiting")
    await server.proc.kill()
    await terminal.until("unconfirmed")
    terminal.press("\x11")
    assert await terminal.program.end() == 6
    assert after_the_screen(terminal).endswith("nsroom: the connection ended with 1 event unconfirmed")


async def test_a_typed_line_makes_the_same_packet_as_on_the_command_line(show: Show, nsroom: Runner) -> None:
    received: list[str] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            received.append(str(await talk.receive()))

    async with bad.conversation(script) as url:
        terminal = await show("connect", "-u", url)
        await terminal.until("connected to")
        for line in (*(f"/emit {words}" for words in EMITS), *LINES, "last"):
            terminal.press(line, "Enter")
            if "oops" in line:
                await terminal.until("not an event")
                terminal.press("\x15")
        await terminal.until('"last"')
        assert "waiting" not in terminal.text
        terminal.press("\x11")
        await terminal.program.end()
        typed = [frame for frame in received if frame.startswith("42")]
        received.clear()
        for words in EMITS:
            await nsroom("emit", "-u", url, *shlex.split(words.replace('{"a":[1]}', '"{\\"a\\":[1]}"')))
        result = await nsroom("connect", url, "--stdin", "-W", "2", stdin="\n".join([*LINES, "last"]))
    assert "nsroom: not sent: not an event: " in result.stderr
    assert [frame for frame in received if frame.startswith("42")] == typed
    assert typed == [
        '42["say","hi"]',
        '42["say","5"]',
        '42["say",{"n":1,"to":"ann"},1e3]',
        '42["-x",null]',
        '42["say",{"a":[1]}]',
        '42["say","hi"]',
        '42["message"," hello [x] "]',
        '42["message","[info] it is up"]',
        '42["message","{\\"temp\\":21}"]',
        '42["message","last"]',
    ]


async def test_two_people_talk_on_the_server_of_the_tutorial(show: Show, node_server: StartServer) -> None:
    server = await node_server("chat.js")
    ann = await show("connect", server.url, "--message-event", "chat message")
    bob = await show("connect", server.url)
    await bob.until("emit message with the text")
    await ann.until("connected to")
    ann.press("F2", "hello bob", "Enter")
    await ann.until(lambda text: any(line.endswith("→") for line in text.splitlines()))
    await bob.until("emit chat message with the text")
    bob.press("F2", "hello ann", "Enter")
    await bob.until("(chat message)")
    await ann.until("hello ann")
    assert "you          hello bob" in ann.text
    assert ann.text.count("hello bob") == 1


async def test_quit_with_every_namespace_refused(show: Show, server: Server) -> None:
    terminal = await show("connect", "/secret", "-u", server.url)
    await terminal.until("/secret is refused: Invalid namespace")
    terminal.press("q")
    assert await terminal.program.end() == 4
    assert left_on(terminal) == []


async def test_a_refusal_is_shown_with_its_data(show: Show) -> None:
    async with bad.refuses({"message": "not authorized", "data": {"hint": "send a token"}}) as url:
        terminal = await show("connect", "-u", url)
        await terminal.until('/ is refused: not authorized {"hint":"send a token"}')
        terminal.press("q")
        assert await terminal.program.end() == 4


async def test_retry(show: Show, server: Server) -> None:
    terminal = await show("connect", "/secret", "-u", server.url)
    for attempts in (1, 2, 3):
        await terminal.until(lambda text, count=attempts: text.count("✗ refused") == count)
        await terminal.until("r try again")
        terminal.press("r")
    await terminal.until(lambda text: text.count("✗ refused") == 4)
    terminal.press("q")
    assert await terminal.program.end() == 4


async def test_a_full_disk_ends_it(show: Show, server: Server) -> None:
    terminal = await show("connect", "-u", server.url, "--save", "/dev/full", "--force")
    assert await terminal.program.end() == 10
    assert left_on(terminal) == []
    assert after_the_screen(terminal).endswith("nsroom: cannot write to /dev/full: No space left on device")


async def test_the_demo_s_hint_is_in_the_view(show: Show) -> None:
    terminal = await show("demo", cols=80)
    await terminal.until("from another terminal: nsroom join lobby -u http://127.0.0.1:")
    terminal.press("\x11")
    assert await terminal.program.end() == 0
