"""The keys of the sidebar, and those that change the room."""

import pytest

from nsroom.filters import parse
from nsroom.tui.input.sidebar_actions import _expression, _neighbour
from nsroom.tui.screen.side_pane import Place
from nsroom.tui.screen.state import Focus
from tests.cli.tui.records import event, message, packet, view
from tests.cli.tui.user import User


async def test_talking_in_the_room_of_a_line(user: User) -> None:
    await user.press("/join ops", "Enter")
    await user.sees("● ops")
    joins = len(user.view.model.records)
    await user.press("Escape", "Tab")
    assert user.view.focus is Focus.SIDEBAR
    await user.press("k", "Enter")
    await user.sees("/chat lobby ›")
    assert user.view.focus is Focus.INPUT
    await user.press("hello", "Enter")
    await user.sees("lobby  me: hello")
    assert [each.event for each in user.view.model.records[joins:] if each.event == "join"] == []


async def test_filtering_folding_and_leaving(user: User) -> None:
    await user.press("Escape", "Tab", "f")
    await user.sees("ns=")
    assert [user.view.model[index].event for index in user.view.model.rows] == [
        "join",
        "create-room",
        "join-room",
    ]
    await user.press("Space", "u")
    assert user.view.side.toggled == {Place("/chat", "lobby")}
    assert user.view.side.unread_first
    await user.press("Home", "Escape")
    assert user.view.side.cursor == Place("/chat")
    assert user.view.focus is Focus.STREAM


async def test_tab_goes_through_the_panes_and_completes_text(user: User) -> None:
    seen = []
    for key in ("Tab", "Tab", "Tab", "\x1b[Z", "\x1b[Z"):
        await user.press(key)
        seen.append(user.view.focus)
    assert seen == [Focus.STREAM, Focus.SIDEBAR, Focus.INPUT, Focus.SIDEBAR, Focus.STREAM]
    await user.press("i", "/lea", "Tab")
    await user.sees("› /leave")
    assert user.view.focus is Focus.INPUT


async def test_keys_change_the_room(user: User) -> None:
    for room in ("room-10", "room-2"):
        await user.press(f"/join {room}", "Enter")
        # The prompt names the room at once; only an answered join puts it in its place in the list.
        await user.sees(f"● {room}")
    for key, prompt in (
        ("\x0e", "/chat room-10 ›"),
        ("\x0e", "/chat lobby ›"),
        ("\x10", "/chat room-10 ›"),
        ("\x1b2", "/chat room-2 ›"),
        ("\x1b[1;3A", "/chat lobby ›"),
        ("\x1b9", "has 3 known rooms"),
    ):
        await user.press(key)
        await user.sees(prompt)


async def test_a_room_that_we_are_not_in(user: User) -> None:
    user.view.model.add(message("other", "bob", "hi"))
    await user.press("\x1b2")
    await user.sees('you are not in other: /join "other" asks to join it')


def test_the_neighbours_of_a_room_are_those_of_all_namespaces() -> None:
    viewed = view(
        message("room-10", "x", "y"),
        message("room-2", "x", "y"),
        event("hi", namespace="/news"),
        room="room-2",
    )
    seen = []
    for steps in (1, 1, 1, -1, -1):
        viewed.go_to(*_neighbour(viewed, steps))
        seen.append((viewed.namespace, viewed.room))
    ten, news = ("/chat", "room-10"), ("/news", "")
    assert seen == [ten, news, ("/chat", "room-2"), news, ten]


@pytest.mark.parametrize(
    ("place", "matching"),
    [(Place("/chat"), "ab"), (Place("/chat", 'l"o&b'), "a"), (Place(client="s1"), "c")],
)
def test_the_filter_of_a_line(place: Place, matching: str) -> None:
    records = {
        "a": event("join", 'l"o&b'),
        "b": event("x", {"room": "other"}),
        "c": packet("event", event="y", namespace="/n", sid="s1"),
    }
    where = parse(_expression(place))
    assert "".join(name for name, record in records.items() if where(record)) == matching
