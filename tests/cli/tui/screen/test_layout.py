"""The mouse, and pasted text."""

from tests.cli.tui.user import User


async def test_invisible_characters_in_pasted_text_are_shown(user: User) -> None:
    await user.press("\x1b[200~a\u202eb\u200b\x07c\x1b[201~")
    await user.sees(r"a\u202eb\u200b\x07c")
    assert "\u202e" not in user.output.written


def row_of(text: str, shown: str) -> int:
    """Return the number of the row with this text, counted from 1."""
    return next(at for at, line in enumerate(shown.splitlines(), 1) if text in line)


async def test_the_mouse_selects_a_row_a_room_and_the_input(user: User) -> None:
    async def click(text: str, column: int) -> None:
        row = row_of(text, user.text)
        await user.press(f"\x1b[<0;{column};{row}M", f"\x1b[<0;{column};{row}m")

    await click("everyone!", 40)
    await user.sees("▌")
    await click("● /chat", 4)
    await user.sees("/chat ›")
    await click("● lobby", 4)
    await user.sees("/chat lobby ›")
    await click("/chat lobby ›", 40)
    await user.press("typed")
    await user.sees("› typed")


async def test_the_wheel_scrolls(user: User) -> None:
    for n in range(12):
        user.app.run_line(f"line {n}")
    await user.sees("me: line 11")
    await user.press("\x1b[<64;40;8M", "\x1b[<64;40;8M")
    await user.sees(lambda text: "me: line 11" not in text)
    await user.press("\x1b[<65;40;8M", "\x1b[<65;40;8M")
    await user.sees("me: line 11")
