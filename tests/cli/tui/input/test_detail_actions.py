from typing import Any

from nsroom.tui.input.detail_actions import compare, copy_path, copy_value, search, search_next
from nsroom.tui.screen.state import View
from tests.cli.tui.records import event, message, view


def opened(*records: object) -> View:
    """Return a view with the detail of the newest record."""
    made = view(*records)  # type: ignore[arg-type]
    made.model.move(-1)
    made.show_detail()
    return made


class Copies:
    """Keeps what is copied."""

    def __init__(self, viewed: View) -> None:
        self.view = viewed
        self.host = self
        self.copied: list[str] = []

    def copy(self, text: str) -> None:
        self.copied.append(text)


def copying(viewed: View) -> Any:
    """Return the context of a view whose copies are kept."""
    return Copies(viewed)


def test_a_line_without_a_value_is_not_copied() -> None:
    context = copying(opened(event("e")))
    copy_value(context)
    assert context.view.notice.text == "this line has no value"
    copy_path(context)
    assert context.copied == []


def test_a_text_outside_the_arguments_has_no_path() -> None:
    context = copying(opened(event("e", message="hello")))
    copy_path(context)
    assert context.view.notice.text == "this line is not a part of the arguments"
    copy_value(context)
    assert context.copied == ["hello"]


def test_a_copied_value_cannot_press_keys() -> None:
    context = copying(opened(event("e", "rm -rf ~\n\x03")))
    context.view.detail_row = 1
    copy_value(context)
    assert context.copied == [r'"rm -rf ~\n\u0003"']


def test_compare_with_the_previous_event_of_the_name() -> None:
    first, other, second = event("a", 1), event("b", 1), event("a", 2)
    viewed = opened(first, other, event("a", 1, namespace="/news"), second)
    compare(viewed)
    assert viewed.detail is not None
    assert viewed.detail.previous is first
    compare(viewed)
    assert viewed.detail.previous is None
    viewed.model.select(1)
    compare(viewed)
    assert viewed.notice.text == "this is the first event of its name"


def test_compare_opens_the_detail() -> None:
    viewed = view(message("lobby", "ann", "hi"), message("lobby", "bob", "hi"))
    compare(viewed)
    assert viewed.detail is not None
    assert viewed.detail.previous is viewed.model[0]
    viewed.detail = None
    compare(viewed)
    assert viewed.comparing


def test_a_search_goes_down_and_up() -> None:
    viewed = opened(event("e", {"a": "x1", "b": 1, "c": "x2", "d": "X3"}))
    search(viewed, "x")
    rows = [viewed.detail_row]
    for forward in (True, True, False):
        search_next(viewed, forward)
        rows.append(viewed.detail_row)
    assert rows == [0, 2, 3, 2]
    search(viewed, "")
    assert viewed.detail_row == 2


def test_nothing_to_search_for() -> None:
    viewed = opened(event("e", 1))
    search(viewed, "")
    assert viewed.notice.failed
    search(viewed, "nope")
    assert (viewed.notice.text, viewed.detail_row) == ("not found below: nope", 0)
