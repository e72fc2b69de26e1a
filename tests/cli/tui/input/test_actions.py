"""The actions of the keys, with the reference server in the same process."""

from nsroom.output.times import Times
from nsroom.tui.screen.state import Focus
from tests.cli.tui.records import event
from tests.cli.tui.user import User


async def test_enter_accepts_a_completion_before_it_sends(user: User) -> None:
    await user.press("/joi", "Tab")
    await user.sees("/join ROOM…")
    await user.press("Enter")
    await user.sees(lambda text: "/join ROOM…" not in text)
    await user.press("x1", "Enter")
    await user.sees("/chat x1 ›")


async def test_times_since_the_previous_row_and_back(user: User) -> None:
    user.view.times = Times.UTC
    await user.press("Escape", "t")
    await user.sees("+")
    assert user.view.in_utc
    await user.press("t")
    await user.sees(lambda _: user.view.times is Times.UTC)


async def test_a_filter_is_completed_and_counted(user: User) -> None:
    for bid in (1, 2):
        user.view.model.add(event("price", {"bid": bid}))
    await user.press("Escape", "f", "event=pr")
    await user.press("Tab", "Enter")
    await user.sees("filter › event=price")
    await user.sees("2 of ")
    await user.press(" & arg.b", "Tab", "Enter", "2")
    await user.sees("filter › event=price & arg.bid=2")
    await user.sees("1 of ")
    await user.press("Enter")
    await user.sees(" event=price & arg.bid=2 ")
    assert len(user.view.model.rows) == 1


async def test_search_copy_and_compare_in_the_detail(user: User) -> None:
    for bid in (1, 2):
        user.view.model.add(event("price", {"bid": bid, "deep": {"list": [{"sku": "A-1"}] * 60}}))
    await user.press("Escape", "Up", "Enter", "Tab", "/", "sku", "Enter")
    await user.sees("A-1")
    await user.press("y")
    await user.sees("copied 3 characters")
    assert user.copied == "A-1"
    await user.press("n", "Y")
    await user.sees("copied 17 characters")
    assert user.copied == ".deep.list[1].sku"
    await user.press("d")
    await user.sees("~ .bid  1 → 2")
    await user.press("d", "/", "nothing like it", "Enter")
    await user.sees("not found below: nothing like it")
    await user.press("End", "N")
    await user.sees("not found above")


async def test_the_detail_opens_folds_and_closes(user: User) -> None:
    await user.press("/where kind=ack", "Enter")
    await user.sees("kind=ack")
    await user.press("Escape", "Up", "Enter")
    await user.sees("▾ members")
    await user.press("Tab", "Down", "Down", "Down", "Enter")
    await user.sees("▸ members")
    await user.press("Escape")
    await user.sees(lambda text: "members  [" not in text)


async def test_edit_and_send_and_send_again(user: User) -> None:
    await user.press("once", "Enter")
    await user.sees("me: once")
    await user.press("Escape", "/", "once", "Enter", "n", "r")
    await user.sees(lambda text: text.count("me: once") == 2)
    await user.press("e")
    await user.sees('"text": "once"}')
    await user.press("Enter")
    await user.sees(lambda text: text.count("me: once") == 3)


async def test_only_hide_and_unfilter(user: User) -> None:
    await user.press("x", "Enter")
    await user.sees("me: x")
    await user.press("Escape", "/", "everyone", "Enter", "o")
    await user.sees('event="hi"')
    await user.press("x")
    await user.sees("join-room")
    await user.press("Home", "/", "zzz", "Escape", "/", "nothing", "Enter")
    await user.sees("not found above: nothing")
    await user.press("G", "Up", "/", "everyone", "Enter", "h")
    await user.sees('!event="hi"')
    assert '"everyone!"' not in user.text


async def test_jump_to_the_acknowledgement_and_back(user: User) -> None:
    model = user.view.model
    await user.press("Escape", "/", "nick", "Enter")
    await user.sees("▌")
    emit, answer = sorted(model.acks.partners)
    model.select(emit)
    await user.press("a")
    assert model.cursor == answer
    await user.press("a")
    assert model.cursor == emit


async def test_a_pause_counts_the_records_held(user: User) -> None:
    await user.press("F5", "one", "Enter")
    await user.sees("paused, 3 held")
    await user.press("F5")
    await user.sees("me: one")


async def test_new_rows_while_reading(user: User) -> None:
    await user.press("Escape", "Up", "i", "/emit message", "Escape")
    user.app.run_line("hello")
    await user.sees("me: hello")
    user.view.model.select(0)
    user.app.run_line("/nick you")
    await user.sees("new  End to follow")
    await user.press("End")
    await user.sees(lambda text: "End to follow" not in text)


async def test_the_chat_shows_that_a_message_was_acknowledged(user: User) -> None:
    await user.press("F2", "hello chat", "Enter")
    await user.sees(lambda text: any(line.endswith("✓") for line in text.splitlines()))
    assert "you          hello chat" in user.text
    assert "1 member" in user.text


async def test_search_in_the_input_history(user: User) -> None:
    await user.press("first message", "Enter", "second", "Enter", "\x12", "first")
    await user.sees("history › first")
    await user.press("Enter")
    await user.sees("› first message")


async def test_a_slash_in_the_stream_starts_a_command_or_a_search(user: User) -> None:
    await user.press("Escape", "/", "joi", "Tab", "Enter", "ops")
    await user.sees("command › join ops")
    await user.press("Enter")
    await user.sees("/chat ops ›")
    assert user.view.focus is Focus.INPUT
    await user.press("Escape", "/", "join-room", "Enter")
    await user.sees("▌")
    assert user.view.focus is Focus.STREAM
    await user.press("/", "join", "Enter")  # a command only with a room
    record = user.view.model.selected()
    assert record is not None
    assert record.event == "join"


async def test_ctrl_f_searches_from_the_input(user: User) -> None:
    await user.press("a draft", "\x06", "zzz", "Escape")
    assert user.view.focus is Focus.INPUT
    await user.press("\x06", "where everyone", "Enter")
    await user.sees("not found above: where everyone")
    assert user.view.focus is Focus.STREAM
    assert user.app.screen.input_buffer.text == "a draft"


async def test_a_filter_asked_for_in_the_input_returns_there(user: User) -> None:
    await user.press("F3", "event=hi", "Enter")
    await user.sees("event=hi")
    assert user.view.focus is Focus.INPUT
