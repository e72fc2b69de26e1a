"""The application with keys from a pipe, against the reference server in the same process."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pyte
import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from nsroom.cli.display_options import WatchOptions
from nsroom.client.client import Client
from nsroom.client.joins import convention, join
from nsroom.client.target import Target
from nsroom.tui.app import App
from nsroom.tui.config import Settings
from nsroom.tui.live import Live
from nsroom.tui.model.model import Model
from nsroom.tui.screen.state import View
from nsroom_server.app import serving
from nsroom_server.settings.config import Config
from tests.cli.tui.screens import KEYS

ROWS, COLS = 24, 100


class Glass:
    """What the application writes to, and a person looks at."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLS, ROWS)
        self.written = ""
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> None:
        self.written += text
        self._stream.feed(text)

    def flush(self) -> None:
        """Everything is there already."""

    def fileno(self) -> int:
        return 1

    def isatty(self) -> bool:
        return True


class Person:
    """Presses keys and looks at the screen."""

    def __init__(self, app: App, keys: PipeInput, glass: Glass) -> None:
        self.app = app
        self.view = app.view
        self.glass = glass
        self._keys = keys

    async def press(self, *keys: str) -> None:
        """Press keys by their names, or type texts."""
        for key in keys:
            self._keys.send_text(KEYS.get(key, key))
            # An escape is one by itself only when nothing follows it at once.
            await asyncio.sleep(0.35 if key == "Escape" else 0.02)

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.glass.screen.display)

    async def sees(self, wanted: str | Callable[[str], bool]) -> str:
        """Wait until the screen shows it."""
        there = wanted if callable(wanted) else lambda text: wanted in text
        for _ in range(250):
            if there(self.text):
                return self.text
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {wanted!r} on:\n{self.text}")

    @property
    def copied(self) -> str:
        """What was last given to the clipboard."""
        return base64.b64decode(re.findall("\x1b\\]52;c;([^\x07]*)\x07", self.glass.written)[-1]).decode()


@pytest.fixture
async def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    """Somebody in the lobby, who has just joined."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(Config(port=0)))
        keys = stack.enter_context(create_pipe_input())
        glass = Glass()
        output = Vt100_Output(glass, lambda: Size(ROWS, COLS), term="xterm-256color")  # type: ignore[arg-type]
        view = View(Model(), server.url.partition("//")[2])
        view.go_to("/chat", "lobby")
        how = convention(None, None, None, "me")
        app = App(view, Settings(), how, input=keys, output=output)

        async def begin(client: Client, say: Callable[[str], None]) -> list[str]:
            return await join(client, ["lobby"], how, say)

        live = Live(app, Target(server.url, ("/chat",)), WatchOptions(), begin)
        running = asyncio.create_task(live.run())
        someone = Person(app, keys, glass)
        await someone.sees("ack join")
        try:
            yield someone
        finally:
            app.leave()
            await running


async def test_text_goes_to_the_room(person: Person) -> None:
    await person.press("hello", "Enter")
    await person.sees("me: hello")
    assert "✓" in person.text


async def test_a_slash_command_that_is_none_says_so_and_the_text_stays(person: Person) -> None:
    await person.press("/jion lobby", "Enter")
    text = await person.sees("unknown command /jion")
    assert "/jion lobby" in text.splitlines()[-3]


async def test_text_may_begin_with_a_slash(person: Person) -> None:
    await person.press("//etc", "Enter")
    await person.sees("me: /etc")


REFUSED = {
    "/join": "usage: /join ROOM",
    "/emit": "usage: /emit EVENT",
    "/emit connect": "reserved event name",
    "/emit x f=@/no/such/file": "cannot read /no/such/file",
    "/emit -n /nowhere x": "cannot emit to /nowhere: not connected to it",
    "/where event=": "column 7",
    "/reply ok": "select an event from the server that wants a reply",
    "/copy": "nothing is selected",
    "/save": "usage: /save",
    "/ns /secret": "/secret is refused: Invalid namespace",
    "/leave nowhere": "refused: leave: not_a_member",
    '[{"no":1}]': "an event needs a name",
}


async def test_what_cannot_be_done_is_said(person: Person) -> None:
    for typed, said in REFUSED.items():
        await person.press(typed, "Enter")
        await person.sees(said)
        await person.press("\x15")  # takes the line away


async def test_joining_going_and_leaving(person: Person) -> None:
    await person.press("/join 'the den'", "Enter")
    await person.sees("/chat the den ›")
    await person.sees("● the den")
    await person.press("/ns my-namespace", "Enter")
    await person.sees("/my-namespace ›")
    await person.press("/ns /chat", "Enter", "/leave the den", "Enter")
    await person.sees(lambda text: "the den" not in text.split("ROOMS")[1][:300])


async def test_emit_takes_json_over_several_lines(person: Person) -> None:
    await person.press('/emit -n /chat rooms {"a":', "Enter", "[1]}", "Enter")
    await person.sees("{a: [1]}")


async def test_a_call_shows_its_answer(person: Person) -> None:
    await person.press("/call rooms", "Enter")
    await person.sees('rooms: [{"ok": true, "rooms":')


async def test_enter_takes_a_completion_before_it_sends(person: Person) -> None:
    await person.press("/joi", "Tab")
    await person.sees("/join ROOM…")
    await person.press("Enter")
    await person.sees(lambda text: "/join ROOM…" not in text)
    await person.press("x1", "Enter")
    await person.sees("/chat x1 ›")


async def test_the_detail_opens_folds_and_closes(person: Person) -> None:
    await person.press("/where kind=ack", "Enter")
    await person.sees("kind=ack")
    await person.press("Escape", "Up", "Enter")
    await person.sees("▾ members")
    await person.press("Tab", "Down", "Down", "Down", "Enter")
    await person.sees("▸ members")
    await person.press("Escape")
    await person.sees(lambda text: "members  [" not in text)


async def test_copying_in_every_format(person: Person) -> None:
    await person.press("hi", "Enter")
    await person.sees("me: hi")
    await person.press("Escape", "Up", "/", "message", "Enter")
    copies = {}
    for key in "jesp":
        await person.press("c", key)
        await person.sees("copied")
        copies[key] = person.copied
    assert json.loads(copies["j"])["event"] == "message"
    assert copies["e"].startswith("nsroom emit -n /chat message ")
    assert copies["s"].startswith('socket.emit("message", {')
    assert copies["p"].startswith("await sio.emit('message', {")


async def test_edit_and_send_and_send_again(person: Person) -> None:
    await person.press("once", "Enter")
    await person.sees("me: once")
    await person.press("Escape", "/", "once", "Enter", "n", "r")
    await person.sees(lambda text: text.count("me: once") == 2)
    await person.press("e")
    await person.sees('"text": "once"}')
    await person.press("Enter")
    await person.sees(lambda text: text.count("me: once") == 3)


async def test_only_and_hide_and_everything_again(person: Person) -> None:
    await person.press("x", "Enter")
    await person.sees("me: x")
    await person.press("Escape", "/", "everyone", "Enter", "o")
    await person.sees('event="hi"')
    await person.press("x")
    await person.sees("join-room")
    await person.press("Home", "/", "zzz", "Escape", "/", "nothing", "Enter")
    await person.sees("not found above: nothing")
    await person.press("G", "Up", "/", "everyone", "Enter", "h")
    await person.sees('!event="hi"')
    assert '"everyone!"' not in person.text


async def test_the_ack_of_an_emit_and_back(person: Person) -> None:
    model = person.view.model
    await person.press("Escape", "/", "nick", "Enter")
    await person.sees("▌")
    emit, answer = sorted(model.acks.partners)
    model.select(emit)
    await person.press("a")
    assert model.cursor == answer
    await person.press("a")
    assert model.cursor == emit


async def test_a_pause_counts_what_is_held(person: Person) -> None:
    await person.press("F5", "one", "Enter")
    await person.sees("paused, 3 held")
    await person.press("F5")
    await person.sees("me: one")


async def test_new_rows_while_reading(person: Person) -> None:
    await person.press("Escape", "Up", "i", "/emit message", "Escape")
    person.app.run_line("hello")
    await person.sees("me: hello")
    person.view.model.select(0)
    person.app.run_line("/nick you")
    await person.sees("new  End to follow")
    await person.press("End")
    await person.sees(lambda text: "End to follow" not in text)


async def test_the_chat_shows_what_became_of_a_message(person: Person) -> None:
    await person.press("F2", "hello chat", "Enter")
    await person.sees(lambda text: any(line.endswith("✓") for line in text.splitlines()))
    assert "you          hello chat" in person.text
    assert "1 member" in person.text


async def test_recording_from_here(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "run.ndjson"
    await person.press(f"/save {file}", "Enter")
    await person.sees("⏺")
    await person.press("recorded", "Enter")
    await person.sees("me: recorded")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert not any("frames" in record for record in records)
    await person.press(f"/save {file}", "Enter")
    await person.sees("already exists")


async def test_the_help_scrolls_and_closes(person: Person) -> None:
    await person.press("F1")
    await person.sees("Keys in the input")
    await person.press(*["PageDown"] * 4)
    await person.sees("/quit")
    await person.press("x")
    await person.sees(lambda text: "Keys in" not in text)


async def test_what_was_typed_before_is_found_again(person: Person) -> None:
    await person.press("first message", "Enter", "second", "Enter", "\x12", "first")
    await person.sees("history › first")
    await person.press("Enter")
    await person.sees("› first message")


async def test_pasted_text_that_hides_is_shown(person: Person) -> None:
    await person.press("\x1b[200~a\u202eb\u200b\x07c\x1b[201~")
    await person.sees(r"a\u202eb\u200b\x07c")
    assert "\u202e" not in person.glass.written


def row_of(text: str, shown: str) -> int:
    """Find the row, counted from 1, in which a text stands."""
    return next(at for at, line in enumerate(shown.splitlines(), 1) if text in line)


async def test_the_mouse_selects_a_row_a_room_and_the_input(person: Person) -> None:
    async def click(text: str, column: int) -> None:
        row = row_of(text, person.text)
        await person.press(f"\x1b[<0;{column};{row}M", f"\x1b[<0;{column};{row}m")

    await click("everyone!", 40)
    await person.sees("▌")
    await click("● /chat", 4)
    await person.sees("/chat ›")
    await click("● lobby", 4)
    await person.sees("/chat lobby ›")
    await click("/chat lobby ›", 40)
    await person.press("typed")
    await person.sees("› typed")


async def test_the_wheel_scrolls(person: Person) -> None:
    for n in range(12):
        person.app.run_line(f"line {n}")
    await person.sees("me: line 11")
    await person.press("\x1b[<64;40;8M", "\x1b[<64;40;8M")
    await person.sees(lambda text: "me: line 11" not in text)
    await person.press("\x1b[<65;40;8M", "\x1b[<65;40;8M")
    await person.sees("me: line 11")
