import pytest

from nsroom.record import Record
from nsroom.tui.model import chat
from nsroom.tui.model.chat import Chats, Mark
from tests.cli.tui.records import ack, emit, event, seen, text


def heard(*records: Record) -> Chats:
    chats = Chats()
    for record in records:
        chats.learn(record)
    return chats


def said(chats: Chats, room: str = "lobby", namespace: str = "/chat") -> list[tuple[str, str]]:
    return [(line.nick, line.text or line.change) for line in chats.lines(namespace, room)]


def test_who_said_what() -> None:
    chats = heard(text("lobby", "ann", "hi"), text("ops", "bob", "elsewhere"))
    assert said(chats) == [("ann", "hi")]
    assert said(chats, "ops") == [("bob", "elsewhere")]
    assert said(chats, "lobby", "/news") == []


def test_presence() -> None:
    chats = heard(
        event("join-room", {"room": "lobby", "nick": "ann"}), event("leave-room", {"room": "lobby"})
    )
    assert said(chats) == [("ann", "joined"), ("", "left")]


def test_we_join_as_you() -> None:
    change = {"room": "lobby", "nick": "me"}
    chats = heard(
        seen("connect", sid="s1"), *(event("join-room", change | {"sid": sid}) for sid in ("s1", "s2"))
    )
    assert said(chats) == [("you", "joined"), ("me", "joined")]


@pytest.mark.parametrize(
    ("answers", "mark"),
    [
        ([], Mark.WAITING),
        ([ack("message", {"ok": True}, id=1)], Mark.ACKNOWLEDGED),
        ([ack("message", {"error": "no"}, id=1)], Mark.REFUSED),
        ([seen("close", "local")], Mark.UNCONFIRMED),
    ],
)
def test_a_message_of_ours_says_what_became_of_it(answers: list[Record], mark: Mark) -> None:
    chats = heard(emit("message", {"room": "lobby", "text": "hi"}, id=1), *answers)
    (line,) = chats.lines("/chat", "lobby")
    assert (line.nick, line.own, line.mark) == ("you", True, mark)


def test_our_echo_is_not_shown_twice() -> None:
    ours = emit("message", {"room": "lobby", "text": "hi"}, id=1)
    by_sid = heard(seen("connect", sid="sid-me"), ours, text("lobby", "me", "hi"))
    assert said(by_sid) == [("you", "hi")]
    nameless = heard(emit("message", "hi"), event("message", "hi"), event("message", "hi"))
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
def test_other_servers_chats(name: str, args: list[object], expected: tuple[str, str]) -> None:
    assert said(heard(event(name, *args)), "") == [expected]


def test_what_names_no_room_shows_in_every_one_in_its_order() -> None:
    chats = heard(text("lobby", "a", "1"), event("message", "2"), text("lobby", "a", "3"))
    assert said(chats) == [("a", "1"), ("", "2"), ("a", "3")]


def history(*messages: tuple[int, str]) -> Record:
    kept = [{"id": id, "nick": "ann", "text": said, "time": "2026-01-01T00:00:00Z"} for id, said in messages]
    return ack("join", {"ok": True, "room": "lobby", "history": kept})


def test_the_history_comes_first() -> None:
    chats = heard(event("join-room", {"room": "lobby", "nick": "me"}), history((1, "old"), (2, "newer")))
    assert said(chats) == [("ann", "old"), ("ann", "newer"), ("me", "joined")]
    assert [line.number for line in chats.lines("/chat", "lobby")] == [0, 0, 1]


def test_after_a_gap_only_what_was_missed_is_added() -> None:
    chats = heard(
        history((1, "one")), text("lobby", "bob", "two", id=2), history((1, "one"), (2, "two"), (3, "three"))
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
def test_strange_records_are_stood(record: Record) -> None:
    heard(record)


def test_all_chats_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "_MAX_LINES", 10)
    chats = heard(*(text(f"r{n}", "a", "x" * 10_000) for n in range(15)))
    assert said(chats, "r0") == []
    assert said(chats, "r14") == [("a", "x" * 4000)]
