"""The keys of the list of groups."""

from tests.cli.tui.user import User


async def test_enter_shows_the_events_of_a_group_and_escape_goes_back(user: User) -> None:
    await user.press("Escape", "g")
    text = await user.sees("EVENT")
    assert "COUNT" in text
    await user.sees("▌hi")
    await user.press("Down", "Enter")
    await user.sees('event="join"')
    assert [str(user.view.model[index].event) for index in user.view.model.rows] == ["join"]
    await user.press("Escape")
    await user.sees("EVENT")
    assert user.view.model.where is None
    await user.press("Escape")
    await user.sees(lambda text: "EVENT" not in text)


async def test_a_filter_before_the_groups_comes_back(user: User) -> None:
    await user.press("/where ns=/chat", "Enter", "Escape", "g")
    await user.sees("EVENT")
    await user.press("Enter")
    await user.sees(lambda text: "EVENT" not in text)
    await user.press("g", "Escape", "Escape")
    await user.sees("EVENT")
    assert user.view.model.where is not None
    assert user.view.model.where.text == "ns=/chat"


async def test_keys_for_events_do_nothing_in_the_groups(user: User) -> None:
    await user.press("Escape", "g")
    await user.sees("EVENT")
    await user.press("h")
    await user.sees("this is for events; Esc goes back to them")
    assert user.view.model.where is None
    await user.press("G", "g")
    await user.sees(lambda text: "EVENT" not in text)


async def test_g_twice_goes_to_the_oldest_row(user: User) -> None:
    await user.press("Escape", "gg")
    await user.sees("▌")
    assert user.view.model.cursor == user.view.model.rows[0]


async def test_the_time_line_is_shown_on_demand(user: User) -> None:
    await user.press("Escape", "T")
    await user.sees("highest")
    await user.press("T")
    await user.sees(lambda text: "highest" not in text)
