"""What a typed text becomes: by the options, by what was heard, and the lines of stdin and of the view."""

import pytest

from nsroom.client.events import Emit
from nsroom.client.messages import MessageEvents, Shape, read
from nsroom.errors import UsageError
from nsroom.record import Direction, Json, Kind, Record


def heard(event: str, *args: Json, namespace: str = "/", direction: Direction = Direction.IN) -> Record:
    return Record(0, 1, direction, Kind.EVENT, namespace, None, event, [*args])


def after(*records: Record) -> MessageEvents:
    messages = MessageEvents()
    for record in records:
        messages.learn(record)
    return messages


@pytest.mark.parametrize(
    ("record", "room", "sent"),
    [
        (heard("chat message", "hi"), "", Emit("/", "chat message", ["x"])),
        (heard("chat message", "hi"), "lobby", Emit("/", "chat message", ["x"])),
        (heard("chat message", "hi", 7), "", Emit("/", "chat message", ["x"])),
        (heard("msg", {"user": "ann", "msg": "hi", "at": 5}), "", Emit("/", "msg", [{"msg": "x"}])),
        (
            heard("chat", {"channel": "lobby", "body": "hi"}),
            "lobby",
            Emit("/", "chat", [{"channel": "lobby", "body": "x"}]),
        ),
        (heard("chat", {"room": "ops", "text": "hi"}), "", Emit("/", "message", ["x"])),
        (heard("chat", "hi", namespace="/other"), "", Emit("/", "message", ["x"])),
        (heard("chat", "hi", direction=Direction.OUT), "", Emit("/", "message", ["x"])),
        (heard("price", "hi"), "", Emit("/", "message", ["x"])),
        (heard("chat", 5), "a", Emit("/", "message", [{"room": "a", "text": "x"}])),
    ],
)
def test_text_is_sent_as_the_room_does_it(record: Record, room: str, sent: Emit) -> None:
    assert after(record).compose("/", room, "x", is_reference=False) == sent


def test_the_latest_message_counts() -> None:
    messages = after(heard("chat", "a"), heard("msg", {"text": "b"}))
    assert messages.find("/", "", is_reference=False) == Shape("msg", ({"text": "{text}"},))


def test_the_reference_server_has_its_own_event() -> None:
    messages = after(heard("chat", "relayed"))
    assert messages.compose("/", "", "x", is_reference=True) == Emit("/", "message", ["x"])


def test_the_options_come_first() -> None:
    messages = MessageEvents("say", '["{room}", {"m": "{text}"}]')
    messages.learn(heard("chat", "hi"))
    assert messages.carries("say")
    sent = messages.compose("/", "{text}", "{room}", is_reference=True)
    assert sent == Emit("/", "say", ["{text}", {"m": "{room}"}])


@pytest.mark.parametrize(
    ("room", "args"), [("", ["x"]), ("lobby", [{"room": "lobby", "text": "x"}])], ids=["namespace", "room"]
)
def test_an_event_without_arguments_has_the_usual_ones_until_it_is_heard(room: str, args: list[Json]) -> None:
    messages = MessageEvents("say")
    assert messages.compose("/", room, "x", is_reference=False) == Emit("/", "say", args)
    messages.learn(heard("say", {"body": "hi"}))
    assert messages.compose("/", room, "x", is_reference=False) == Emit("/", "say", [{"body": "x"}])


@pytest.mark.parametrize(("args", "error"), [("{", "--message-args: "), ('"text"', "{text} is missing")])
def test_arguments_that_cannot_carry_a_text(args: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        MessageEvents(args=args)


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ('["say",1]', Emit("/", "say", [1])),
        (' {"event":"say","args":[1]}', Emit("/", "say", [1])),
        ("[info] up", Emit("/", "message", ["[info] up"])),
        (" {x} ", Emit("/", "message", [" {x} "])),
        ('{"temp":21}', Emit("/", "message", ['{"temp":21}'])),
    ],
)
def test_a_line_is_an_event_or_a_message(line: str, sent: Emit) -> None:
    parsed = MessageEvents().parse(line, "/", "", is_reference=False)
    assert isinstance(parsed, Emit)
    assert parsed._replace(text=None) == sent


@pytest.mark.parametrize("line", ['["say" oops]', '{"event": 5, "args": {}}', '[{"no":1}]', "[]"])
def test_an_event_with_a_mistake_is_not_sent_as_text(line: str) -> None:
    with pytest.raises(UsageError, match="not an event: "):
        MessageEvents().parse(line, "/", "", is_reference=False)


@pytest.mark.parametrize("args", [None, [], [None], [{}], [{"text": 5}], [{"": {"text": "x"}}], [[]]])
def test_other_arguments_are_not_a_message(args: list[Json] | None) -> None:
    assert read(args) is None


def test_the_number_of_rooms_is_bounded() -> None:
    messages = after(*(heard("chat", {"room": f"{number}", "text": ""}) for number in range(1001)))
    assert messages.find("/", "0", is_reference=False) is None
    assert messages.find("/", "1000", is_reference=False) is not None
