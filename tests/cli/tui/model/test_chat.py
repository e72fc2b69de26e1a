import pytest

from nsroom.record import Record
from nsroom.tui.model import chat
from nsroom.tui.model.chat import Chats, Mark
from tests.cli.tui.records import ack, emit, event, message, packet


def chats_of(*records: Record) -> Chats:
    chats = Chats()
    for record in records:
        chats.learn(record)
    return chats


def said(chats: Chats, room: str = "lobby", namespace: str = "/chat") -> list[tuple[str, str]]:
    return [(line.nick, line.text or line.change) for line in chats.lines(namespace, room)]


def test_each_room_has_its_messages() -> None:
    chats = chats_of(message("lobby", "ann", "hi"), message("ops", "bob", "elsewhere"))
    assert said(chats) == [("ann", "hi")]
    assert said(chats, "ops") == [("bob", "elsewhere")]
    assert said(chats, "lobby", "/news") == []


def test_presence() -> None:
    chats = chats_of(
        event("join-room", {"room": "lobby", "nick": "ann"}), event("leave-room", {"room": "lobby"})
    )
    assert said(chats) == [("ann", "joined"), ("", "left")]


def test_our_own_presence_is_you() -> None:
    change = {"room": "lobby", "nick": "me"}
    chats = chats_of(
        packet("connect", sid="s1"), *(event("join-room", change | {"sid": sid}) for sid in ("s1", "s2"))
    )
    assert said(chats) == [("you", "joined"), ("me", "joined")]


@pytest.mark.parametrize(
    ("answers", "mark"),
    [
        ([], Mark.WAITING),
        ([ack("message", {"ok": True}, id=1)], Mark.ACKNOWLEDGED),
        ([ack("message", {"error": "no"}, id=1)], Mark.REFUSED),
        ([packet("close", "local")], Mark.UNCONFIRMED),
    ],
)
def test_the_mark_of_our_message(answers: list[Record], mark: Mark) -> None:
    chats = chats_of(emit("message", {"room": "lobby", "text": "hi"}, id=1), *answers)
    (line,) = chats.lines("/chat", "lobby")
    assert (line.nick, line.own, line.mark) == ("you", True, mark)


def test_a_message_that_asks_for_nothing_is_marked_as_sent() -> None:
    (line,) = chats_of(emit("chat message", "hi"), event("chat message", "hi")).lines("/chat", "")
    assert (line.own, line.mark) == (True, Mark.SENT)


def test_our_echo_is_not_shown_twice() -> None:
    ours = emit("message", {"room": "lobby", "text": "hi"}, id=1)
    by_sid = chats_of(packet("connect", sid="sid-me"), ours, message("lobby", "me", "hi"))
    assert said(by_sid) == [("you", "hi")]
    nameless = chats_of(emit("message", "hi"), event("message", "hi"), event("message", "hi"))
    assert said(nameless, "") == [("you", "hi"), ("", "hi")]


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("message", ["plain"], ("", "plain")),
        ("chat message", ["plain"], ("", "plain")),
        ("msg", [{"user": "ann", "msg": "hi"}], ("ann", "hi")),
        ("chat", [{"user": {"name": "ann"}, "content": "hi"}], ("ann", "hi")),
        ("message", [{"username": "ann", "body": "hi"}], ("ann", "hi")),
    ],
)
def test_messages_of_other_servers(name: str, args: list[object], expected: tuple[str, str]) -> None:
    assert said(chats_of(event(name, *args)), "") == [expected]


def test_messages_without_a_room_show_in_every_room() -> None:
    chats = chats_of(message("lobby", "a", "1"), event("message", "2"), message("lobby", "a", "3"))
    assert said(chats) == [("a", "1"), ("", "2"), ("a", "3")]


def history(*messages: tuple[int, str]) -> Record:
    kept = [{"id": id, "nick": "ann", "text": said, "time": "2026-01-01T00:00:00Z"} for id, said in messages]
    return ack("join", {"ok": True, "room": "lobby", "history": kept})


def test_the_history_comes_first() -> None:
    chats = chats_of(event("join-room", {"room": "lobby", "nick": "me"}), history((1, "old"), (2, "newer")))
    assert said(chats) == [("ann", "old"), ("ann", "newer"), ("me", "joined")]
    assert [line.number for line in chats.lines("/chat", "lobby")] == [0, 0, 1]


def test_after_a_gap_only_missing_messages_are_added() -> None:
    chats = chats_of(
        history((1, "one")),
        message("lobby", "bob", "two", id=2),
        history((1, "one"), (2, "two"), (3, "three")),
    )
    assert said(chats) == [("ann", "one"), ("bob", "two"), ("ann", "three")]


@pytest.mark.parametrize(
    "record",
    [
        event("message"),
        event("message", 5),
        event("message", {"text": 5}),
        event("message", {"text": "x", "room": 7, "nick": []}),
        event("join-room", "lobby"),
        ack("join", {"history": [None, {"text": "x", "time": "then"}], "room": 5}),
        ack("message", id=99),
    ],
)
def test_unexpected_arguments_are_ignored(record: Record) -> None:
    chats_of(record)


def test_the_number_of_lines_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "_MAX_LINES", 10)
    chats = chats_of(*(message(f"r{n}", "a", "x" * 10_000) for n in range(15)))
    assert said(chats, "r0") == []
    assert said(chats, "r14") == [("a", "x" * 4000)]
