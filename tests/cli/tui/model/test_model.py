import copy
import tracemalloc
from typing import Any

import pytest

from nsroom.errors import UsageError
from nsroom.filters import parse
from nsroom.proxy.marks import Mark, State
from nsroom.record import Record
from nsroom.tui.model import ring
from nsroom.tui.model.model import Model
from tests.cli.tui.records import ack, emit, event, model, packet, shown


def test_new_records_are_shown_at_the_end() -> None:
    seen_so_far = model(*(event(f"e{n}") for n in range(10)))
    assert [str(seen_so_far[index].event) for index in seen_so_far.visible(3)] == ["e7", "e8", "e9"]
    assert (seen_so_far.following, seen_so_far.new) == (True, 0)


def test_moving_up_stops_following_and_end_resumes_it() -> None:
    reading = model(*(event(f"e{n}") for n in range(10)))
    reading.move(-1)
    reading.add(event("later"))
    assert (reading.following, reading.cursor, reading.new) == (False, 9, 1)
    reading.follow()
    assert (reading.following, reading.cursor, reading.new) == (True, None, 0)


def test_moving_beyond_the_last_row_follows() -> None:
    reading = model(event("a"), event("b"))
    reading.move(-2)
    assert reading.cursor == 0
    reading.move(5)
    assert reading.following


def test_the_window_contains_the_selected_row() -> None:
    reading = model(*(event(f"e{n}") for n in range(100)))
    assert reading.visible(10) == list(range(90, 100))
    reading.select(50)
    assert 50 in reading.visible(10)
    reading.home()
    assert reading.visible(10) == list(range(10))


def test_scrolling_selects_nothing_and_follows_at_the_end() -> None:
    reading = model(*(event(f"e{n}") for n in range(100)))
    reading.visible(10)
    reading.scroll(-3, 10)
    assert (reading.visible(10)[0], reading.cursor) == (87, None)
    reading.move(-1)
    assert reading.cursor == 86
    reading.scroll(100, 10)
    assert reading.following


def test_a_filter_applies_to_past_and_future_records() -> None:
    filtered = model(event("a"), event("b"), event("a"))
    filtered.filter("event=a")
    filtered.add(event("b"))
    filtered.add(event("a"))
    assert shown(filtered) == ["a", "a", "a"]
    filtered.filter("")
    assert shown(filtered) == ["a", "b", "a", "b", "a"]


def test_a_filter_keeps_the_selection_nearby() -> None:
    filtered = model(*(event("a" if n % 2 else "b") for n in range(10)))
    filtered.select(4)
    filtered.filter("event=a")
    assert filtered.cursor == 5
    filtered.filter("event=none")
    assert (filtered.rows, filtered.following) == ([], True)


def test_a_bad_filter_changes_nothing() -> None:
    filtered = model(event("a"), where=parse("event=a"))
    with pytest.raises(UsageError, match="column 7"):
        filtered.filter("event=")
    assert filtered.where is not None
    assert shown(filtered) == ["a"]


def test_heartbeats_are_hidden_by_default() -> None:
    beating = model(packet("ping"), event("a"), packet("pong", "out"))
    assert shown(beating) == ["a"]
    beating.filter("kind=ping")
    assert len(beating.rows) == 1
    beating.filter("")
    beating.heartbeats = True
    beating.refilter()
    assert len(beating.rows) == 3


def test_a_pause_holds_new_records() -> None:
    paused = model(event("a"))
    paused.pause()
    paused.add(event("b"))
    assert (shown(paused), paused.held) == (["a"], 1)
    paused.filter("event=/./")
    assert shown(paused) == ["a"]
    paused.pause()
    assert (shown(paused), paused.held) == (["a", "b"], 0)


def test_removing_the_filter_shows_cleared_rows() -> None:
    cleared = model(event("a"), event("b"))
    cleared.clear()
    cleared.add(event("c"))
    assert shown(cleared) == ["c"]
    cleared.filter("event=/./")
    assert shown(cleared) == ["c"]
    cleared.filter("")
    assert shown(cleared) == ["a", "b", "c"]


def test_dropping_old_records_keeps_indexes() -> None:
    small = Model(capacity=10)
    for n in range(25):
        small.add(event(f"e{n}"))
        small.trim()
    first = small.ring.first
    assert len(small.records) <= 10
    assert first > 0
    assert small[first].event == f"e{first}"
    assert small.rows == list(range(first, 25))


def test_the_newest_record_is_kept_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "MAX_BYTES", 100)
    small = Model()
    for n in range(5):
        small.add(event(f"e{n}"))
        small.trim()
    assert shown(small) == ["e4"]


@pytest.mark.parametrize("data", [[{"a": []}] * 200, ["x" * 20_000], {"key": [1.5] * 500}])
def test_records_take_limited_memory(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "MAX_BYTES", 1_000_000)
    small = Model()
    tracemalloc.start()
    for n in range(500):
        small.add(event(f"e{n}")._replace(data=copy.deepcopy([data, n])))
        small.trim()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1_300_000
    assert 10 < len(small.records) < 400


def test_dropping_the_selected_record_selects_the_oldest() -> None:
    small = Model(capacity=10)
    for n in range(10):
        small.add(event(f"e{n}"))
    small.home()
    small.mark()
    for n in range(10):
        small.add(event(f"later{n}"))
    small.trim()
    assert small.cursor == small.rows[0]
    assert small.marks == set()


def test_jumping_to_a_hidden_row() -> None:
    paired = model(emit("join", id=3), ack("join", id=3))
    paired.filter("kind=event")
    paired.select(0)
    assert "hidden by the filter" in paired.jump()


def test_acknowledgements_fold_under_their_event_unless_refused() -> None:
    folded = model(
        emit("join", id=3),
        ack("join", id=3),
        emit("leave", id=4),
        ack("leave", {"error": "no"}, id=4),
        ack("x", id=9),
    )
    assert folded.rows == [0, 2, 3, 4]
    folded.show_acknowledgements(True)
    assert folded.rows == [0, 1, 2, 3, 4]
    folded.show_acknowledgements(False)
    folded.filter("kind=ack")
    assert folded.rows == [1, 3, 4]
    folded.filter("direction=in")
    assert folded.rows == [1, 3, 4]


def test_jumping_to_a_folded_acknowledgement_shows_it() -> None:
    paired = model(emit("join", id=3), event("x"), ack("join", id=3))
    paired.select(0)
    assert (paired.jump(), paired.cursor, paired.rows) == ("", 2, [0, 1, 2])


def test_repeats_collapse_into_the_last_row() -> None:
    collapsed = model(*(event("price", n) for n in range(4)), event("other"), event("price", 9))
    collapsed.collapse()
    assert (collapsed.rows, collapsed.repeats) == ([3, 4, 5], {3: 4})
    collapsed.add(event("price", 10))
    assert (collapsed.rows, collapsed.repeats) == ([3, 4, 6], {3: 4, 6: 2})
    collapsed.collapse()
    assert (collapsed.rows, collapsed.repeats) == (list(range(7)), {})


def test_repeats_with_something_of_their_own_are_not_collapsed() -> None:
    collapsed = model(event("a"))
    collapsed.collapse()
    collapsed.select(0)
    collapsed.add(event("a"))
    collapsed.select(1)
    collapsed.mark()
    collapsed.follow()
    for record in (event("a"), event("a", id=1), event("a", namespace="/other"), emit("a"), packet("ping")):
        collapsed.add(record)
    assert collapsed.rows == [0, 1, 2, 3, 4, 5]


def test_collapsed_repeats_survive_dropping() -> None:
    small = Model(capacity=10)
    small.collapse()
    for n in range(25):
        small.add(event("x" if n < 20 else "y"))
        small.trim()
    assert [(index, small.repeats[index]) for index in small.rows] == [(19, 20), (24, 5)]


def test_marks() -> None:
    marked = model(*(event(f"e{n}") for n in range(5)))
    for index in (1, 3):
        marked.select(index)
        marked.mark()
    assert (marked.next_mark(forward=False), marked.cursor) == (True, 1)
    assert (marked.next_mark(forward=True), marked.cursor) == (True, 3)
    assert not marked.next_mark(forward=True)
    marked.mark()
    assert marked.marks == {1}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("ALPHA", 0), ("deep", 1), ("/chat", 3), ("join", 2), ("äöü", 3), ("nothing", None)],
)
def test_search_in_all_texts_ignores_case(pattern: str, found: int | None) -> None:
    searched = model(
        event("alpha", 1),
        event("b", {"x": ["Deep"]}),
        ack("join", {}),
        event("c", "ÄÖÜ", frames=['42/chat,["c","ÄÖÜ"]']),
    )
    assert searched.search(pattern) is (found is not None)
    assert searched.cursor == found


def test_search_continues_in_both_directions() -> None:
    searched = model(event("x"), event("y"), event("x"))
    assert [searched.search("x") and searched.cursor for _ in range(2)] == [2, 0]
    assert not searched.search("x")
    assert searched.search("x", forward=True)
    assert searched.cursor == 2


def test_last_arguments() -> None:
    known = model(event("price", {"bid": 1}), event("price", {"bid": 2}))
    assert known.last_arguments("/chat", "price") == [{"bid": 2}]
    assert known.last_arguments("/chat", "other") == []
    assert known.last_arguments("/nowhere", "price") == []


def test_the_previous_event_of_the_name() -> None:
    first, sent, last = event("a", 1), emit("a", 1), event("a", 2)
    seen = model(first, sent, ack("a", 1), event("a", 1, namespace="/news"), event("b"), last)
    assert seen.previous(5) is first
    assert [seen.previous(index) for index in range(5)] == [None] * 5


def waiting(number: int, state: str, record: Record) -> Record:
    """Return a record of a packet that waits in the proxy, or waited."""
    return record._replace(data={"intercept": Mark(id=number, state=State(state))})


def test_a_packet_that_waited_keeps_its_row_and_is_counted_once() -> None:
    made = model(waiting(1, "waiting", emit("order", 1, id=3)), event("other"), relayed=True)
    assert made.pending == {1: 0}
    made.add(waiting(1, "edited", emit("order", 2, id=3)))
    assert (shown(made), made[0].args, made.pending) == (["order", "other"], [2], {})
    assert made.groups.events == 2
    made.add(ack("order", id=3))
    assert made.acks.partners == {0: 2, 2: 0}


def test_an_acknowledgement_that_waits_has_a_row_and_pairs_once_it_is_passed_on() -> None:
    made = model(emit("order", id=3), waiting(1, "waiting", ack("order", id=3)), relayed=True)
    assert (len(made.rows), made.acks.partners) == (2, {})
    made.add(waiting(1, "forwarded", ack("order", id=3)))
    assert (len(made.rows), made.acks.partners) == (2, {0: 1, 1: 0})


def test_a_dropped_acknowledgement_does_not_pair() -> None:
    made = model(emit("order", id=3), waiting(1, "waiting", ack("order", id=3)), relayed=True)
    made.add(waiting(1, "dropped", ack("order", id=3, reason="dropped on purpose")))
    assert made.is_waiting(0)


def test_the_filter_does_not_hide_packets_that_wait() -> None:
    made = model(where=parse("event=other"), relayed=True)
    made.add(waiting(1, "waiting", event("order")))
    made.add(event("order"))
    assert len(made.rows) == 1
