"""Keys while the help, a question or the choice of a copy format is open."""

import json

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
    await user.press(*["PageDown"] * 4)
    await user.sees("/quit")
    await user.press("x")
    await user.sees(lambda text: "Keys in" not in text)


async def test_text_typed_in_the_stream_opens_the_input(user: User) -> None:
    await user.press("Escape", "Ł", "ucy")
    await user.sees("/chat lobby › Łucy")
    await user.press("\x15", "Escape", "\x1b[200~two\r\nlines\x1b[201~")
    await user.sees("/chat lobby › two")
    assert user.app.screen.input_buffer.text == "two\nlines"
