"""The palette, used in the application."""

from nsroom.tui.screen.state import Focus, Mode
from tests.cli.tui.user import User


async def test_a_function_of_the_pane(user: User) -> None:
    await user.press("Escape", ":", "chat")
    await user.sees("switch between events and chat")
    await user.press("Enter")
    assert user.view.palette is None
    assert user.view.mode is Mode.CHAT


async def test_a_function_of_another_pane(user: User) -> None:
    await user.press("Escape", "Up", "\x10", "unread first", "Enter")
    assert user.view.focus is Focus.SIDEBAR
    await user.press("Escape", ":", "fold or unfold", "Enter")
    assert user.view.focus is Focus.DETAIL


async def test_commands(user: User) -> None:
    await user.press("\x1bx")
    await user.sees("function ›")
    await user.press("ask join", "Enter")
    await user.sees("/chat lobby › /join")
    await user.press("\x15", "\x1bx", "clear stream", "Enter")
    await user.sees(lambda text: "ack join" not in text and "hi  " not in text)


async def test_moving_cancelling_and_no_match(user: User) -> None:
    await user.press("Escape", ":", "Down", "Down", "Up")
    palette = user.view.palette
    assert palette
    assert palette.at == 1
    await user.press("Escape")
    await user.sees(lambda text: "function ›" not in text)
    assert user.view.palette is None
    await user.press(":", "nonsense", "Enter")
    await user.sees("no function matches")
