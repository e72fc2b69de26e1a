import pytest

from nsroom.tui.model.model import Model
from nsroom.tui.model.playback import MAX_SPEED, MIN_SPEED, Playback
from tests.cli.tui.records import NOON, ack, emit, event, model, shown

SECOND = 1_000_000


def recording(*seconds: float) -> Model:
    """Return a model with an event at each of these seconds after noon."""
    return model(*(event(f"at {second:g}", time=NOON + round(second * SECOND)) for second in seconds))


def test_rows_appear_at_their_times() -> None:
    made = recording(0, 1, 1.5, 10)
    playback = Playback(made)
    playback.start(100, 1)
    assert shown(made) == ["at 0"]
    assert playback.next_due() == 1
    playback.tick(101)
    assert shown(made) == ["at 0", "at 1"]
    playback.tick(101.6)
    assert shown(made) == ["at 0", "at 1", "at 1.5"]
    assert playback.next_due() == pytest.approx(8.4)


def test_a_speed_applies_from_now_on() -> None:
    made = recording(0, 1, 8, 30)
    playback = Playback(made)
    playback.start(0, 1)
    playback.tick(1)
    playback.set_speed(8)
    playback.tick(2)
    assert shown(made) == ["at 0", "at 1", "at 8"]
    playback.set_speed(1e9)
    assert playback.speed == MAX_SPEED
    playback.set_speed(0)
    assert playback.speed == MIN_SPEED


def test_it_ends_with_everything_shown() -> None:
    made = recording(0, 1)
    playback = Playback(made)
    playback.start(0, 1)
    playback.tick(1)
    assert not playback.is_playing
    assert not playback.is_partial
    assert playback.next_due() is None


def test_it_plays_from_the_selected_row_and_pauses() -> None:
    made = recording(0, 1, 2, 3)
    playback = Playback(made)
    made.select(1)
    playback.toggle(0)
    assert shown(made) == ["at 0", "at 1"]
    playback.toggle(0.5)
    playback.tick(5)
    assert shown(made) == ["at 0", "at 1"]
    playback.toggle(10)
    playback.tick(11)
    assert shown(made) == ["at 0", "at 1", "at 2"]


def test_it_starts_over_at_the_end() -> None:
    made = recording(0, 1, 2)
    playback = Playback(made)
    made.select(2)
    playback.toggle(0)
    assert shown(made) == ["at 0"]


def test_a_sleeping_computer_skips_nothing() -> None:
    made = recording(0, 1, 500)
    playback = Playback(made)
    playback.start(0, 1)
    playback.tick(1000)
    assert shown(made) == ["at 0", "at 1"]
    playback.tick(0)
    assert shown(made) == ["at 0", "at 1"]


def test_steps_pause_and_pass_hidden_rows() -> None:
    made = recording(0, 1, 2, 3)
    made.filter("!event='at 1'".replace("'", '"'))
    playback = Playback(made)
    playback.start(0, 1)
    playback.step(forward=True)
    assert shown(made) == ["at 0", "at 2"]
    assert not playback.is_playing
    playback.step(forward=False)
    assert shown(made) == ["at 0"]
    for _ in range(9):
        playback.step(forward=False)
    assert shown(made) == []
    for _ in range(9):
        playback.step(forward=True)
    assert shown(made) == ["at 0", "at 2", "at 3"]


def test_a_jump_to_a_time() -> None:
    made = recording(0, 1, 2, 3)
    playback = Playback(made)
    playback.seek(NOON + 2 * SECOND)
    assert shown(made) == ["at 0", "at 1", "at 2"]
    playback.seek(NOON - 1)
    assert shown(made) == []
    playback.seek(NOON + 99 * SECOND)
    assert len(made.rows) == 4


def test_times_that_go_back_or_never_come() -> None:
    made = recording(0, -100, 10**9, 1)
    playback = Playback(made)
    playback.start(0, 1)
    assert shown(made) == ["at 0", "at -100"]
    playback.tick(1)
    playback.step(forward=True)
    playback.toggle(1)
    assert len(made.rows) == 4


def test_a_filter_keeps_the_position_and_a_later_answer_is_not_known() -> None:
    asked, answer = emit("call", id=1, time=NOON), ack("call", id=1, time=NOON + 5 * SECOND)
    made = model(asked, event("x", time=NOON + SECOND), answer)
    playback = Playback(made)
    playback.start(0, 1)
    playback.tick(1)
    made.filter("event=call")
    made.filter("")
    assert shown(made) == ["call", "x"]
    assert made.answer(0) is None
    playback.seek(answer.time)
    assert made.answer(0) is answer


def test_an_empty_recording() -> None:
    playback = Playback(Model())
    playback.toggle(0)
    playback.step(forward=True)
    playback.step(forward=False)
    playback.seek(0)
    assert not playback.is_playing
