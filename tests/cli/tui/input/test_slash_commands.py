"""Typed text and commands, with the reference server in the same process."""

from tests.cli.tui.user import User


async def test_text_goes_to_the_room(user: User) -> None:
    await user.press("hello", "Enter")
    await user.sees("me: hello")
    assert "✓" in user.text


async def test_an_unknown_command_keeps_the_text(user: User) -> None:
    await user.press("/jion lobby", "Enter")
    text = await user.sees("unknown command /jion")
    assert "/jion lobby" in text.splitlines()[-3]


async def test_two_slashes_send_text_with_one(user: User) -> None:
    await user.press("//etc", "Enter")
    await user.sees("me: /etc")


REFUSED = {
    "/join": "usage: /join ROOM",
    "/emit": "usage: /emit EVENT",
    "/emit connect": "reserved event name",
    "/emit x f=@/no/such/file": "cannot read the file after @",
    "/emit -n /nowhere x": "cannot emit to /nowhere: not connected to it",
    "/where event=": "column 7",
    "/reply ok": "select an event from the server that wants a reply",
    "/copy": "nothing is selected",
    "/save": "usage: /save",
    "/ns /secret": "/secret is refused: Invalid namespace",
    "/leave nowhere": "refused: leave: not_a_member",
    '[{"no":1}]': "an event needs a name",
}


async def test_errors_are_shown(user: User) -> None:
    for typed, said in REFUSED.items():
        await user.press(typed, "Enter")
        await user.sees(said)
        await user.press("\x15")  # takes the line away


async def test_without_a_room_one_must_be_named(user: User) -> None:
    await user.press("/ns /lab", "Enter")
    await user.sees("/lab ›")
    for command in ("/who", "/leave"):
        await user.press(command, "Enter")
        await user.sees(f"you are in no room: name one, as {command} ROOM, or /join it first")
        await user.press("\x15")


async def test_join_ns_and_leave(user: User) -> None:
    await user.press("/join 'the den'", "Enter")
    await user.sees("/chat the den ›")
    await user.sees("● the den")
    await user.press("/ns my-namespace", "Enter")
    await user.sees("/my-namespace ›")
    await user.press("/ns /chat", "Enter", "/leave the den", "Enter")
    await user.sees(lambda text: "the den" not in "".join(line[:24] for line in text.splitlines()))


async def test_emit_with_json_over_several_lines(user: User) -> None:
    await user.press('/emit -n /chat rooms {"a":', "Enter", "[1]}", "Enter")
    await user.sees("{a: [1]}")


async def test_a_reply_is_remembered_until_once(user: User) -> None:
    model, ask = user.view.model, '/emit ask {"event": "question"}'
    await user.press("/ns /lab", "Enter")
    await user.sees("/lab ›")
    await user.press(ask, "Enter")
    await user.sees("wants a reply (/reply)")
    model.cursor = next(index for index, record in enumerate(model.records) if record.event == "question")
    user.app.run_line("/reply ok:=true")
    await user.sees("every question is acknowledged like this from now on; /reply --once ends that")
    user.app.run_line(ask)
    answered = [("ack", [{"ok": True}])] * 2
    await user.sees(
        lambda _: (
            [
                (each.kind, each.args)
                for each in model.records
                if each.event == "question" and each.kind == "ack"
            ]
            == answered
        )
    )
    user.app.run_line("/reply --once")
    await user.sees("question is no longer acknowledged by itself")
    user.app.run_line(ask)
    await user.sees("wants a reply (/reply)")


async def test_call_shows_the_acknowledgement(user: User) -> None:
    await user.press("/call rooms", "Enter")
    await user.sees('rooms: [{"ok": true, "rooms":')
