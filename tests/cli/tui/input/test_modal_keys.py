"""Keys while the help, a question or the choice of a copy format is open; keys that leave."""

import json
from pathlib import Path

from tests.cli.tui.user import User


async def test_copy_in_every_format(user: User) -> None:
    await user.press("hi", "Enter")
    await user.sees("me: hi")
    await user.press("Escape", "Up", "/", "message", "Enter")
    copies = {}
    for key in "jesp":
        await user.press("c", key)
        await user.sees("copied")
        copies[key] = user.copied
    assert json.loads(copies["j"])["event"] == "message"
    assert copies["e"].startswith("nsroom emit -n /chat message ")
    assert copies["s"].startswith('socket.emit("message", {')
    assert copies["p"].startswith("await sio.emit('message', {")


async def test_the_help_scrolls_and_closes(user: User) -> None:
    await user.press("F1")
    await user.sees("Keys in the input")
    await user.sees("more lines")
    await user.press("G")
    await user.sees("/quit")
    await user.sees("the end")
    await user.press("g")
    await user.sees("Keys in the input")
    await user.press("x")
    await user.sees(lambda text: "Keys in" not in text)


async def test_text_typed_in_the_stream_opens_the_input(user: User) -> None:
    await user.press("Escape", "Ł", "ucy")
    await user.sees("/chat lobby › Łucy")
    await user.press("\x15", "Escape", "\x1b[200~two\r\nlines\x1b[201~")
    await user.sees("/chat lobby › two")
    assert user.app.screen.input_buffer.text == "two\nlines"


async def test_q_asks_before_records_are_lost_and_starts_text_too(user: User) -> None:
    await user.press("Escape", "q")
    await user.sees("q again to leave  w save  Esc stay   8 records are not saved")
    await user.press("uick question")
    await user.sees("/chat lobby › quick question")
    await user.press("\x15", "Escape", "q", "Escape")
    await user.sees(lambda text: "q again" not in text)
    assert user.view.leaving is None


async def test_ctrl_c_cancels_then_clears_then_asks(user: User) -> None:
    await user.press("a draft", "Escape", "f", "event=", "\x03")
    await user.sees("› a draft")
    assert user.view.question is None
    await user.press("\x03")
    assert user.app.screen.input_buffer.text == ""
    await user.press("\x03")
    await user.sees("^C again to leave")
    await user.press("Down")
    assert user.view.leaving is None


async def test_ctrl_c_closes_what_is_open(user: User) -> None:
    for keys, closed in ((["F1"], "Keys in"), (["\x12"], "history ›"), (["Escape", "Up", "c"], "copy as  j")):
        await user.press(*keys)
        await user.sees(closed)
        await user.press("\x03")
        await user.sees(lambda text, closed=closed: closed not in text)
        assert user.view.leaving is None


async def test_w_saves_on_the_way_out(user: User, tmp_path: Path) -> None:
    file = tmp_path / "kept.ndjson"
    file.touch()
    await user.press("\x03", "w")
    await user.sees("save to file and quit › session")
    await user.press("\x15", str(file), "Enter")
    await user.sees(lambda text: "already exists" in " ".join(text.split()))
    await user.press("\x03", "w", "\x15", f"{file}.2", "Enter")
    await user.left()
    records = (tmp_path / "kept.ndjson.2").read_text().splitlines()
    assert json.loads(records[0])["kind"] == "open"


async def test_ctrl_q_leaves_a_question(user: User) -> None:
    await user.press("F3", "event", "\x11")
    await user.left()


async def test_a_count_before_a_key(user: User) -> None:
    for number in range(5):
        await user.press(f"hello {number}", "Enter")
    await user.sees("me: hello 4")
    await user.press("Escape", "3", "k")
    await user.sees("▌")
    assert user.view.model.cursor == user.view.model.rows[-3]
    await user.press("1")
    await user.sees("\n 1 ↑↓ select")
    await user.press("0", "j", "1", "G")
    assert user.view.model.cursor == user.view.model.rows[0]
    await user.press("\x04", "2", "5", " apples")
    await user.sees("lobby › 25 apples")


async def test_a_click_on_the_key_bar(user: User) -> None:
    await user.press("Escape")
    await user.sees("F5 pause")
    column = user.text.splitlines()[-1].index("pause") + 1
    await user.press(f"\x1b[<0;{column};24M", f"\x1b[<0;{column};24m")
    await user.sees("F5 resume")
    assert "\x1b[?1003h" not in user.output.written
    await user.press("M")
    await user.sees("the mouse selects text")
    assert user.output.written.rfind("\x1b[?1000l") > user.output.written.rfind("\x1b[?1000h")
    await user.press("M")
    await user.sees("work here again")
    assert user.output.written.rfind("\x1b[?1000l") < user.output.written.rfind("\x1b[?1000h")


async def test_a_click_in_a_prompt_moves_the_cursor(user: User) -> None:
    await user.press("Escape", "/", "event=hi")
    await user.sees("search › event=hi")
    line = next(number for number, text in enumerate(user.text.splitlines(), 1) if "search › event" in text)
    column = user.text.splitlines()[line - 1].index("=hi") + 1
    await user.press(f"\x1b[<0;{column};{line}M", f"\x1b[<0;{column};{line}m", "!")
    await user.sees("search › event!=hi")
