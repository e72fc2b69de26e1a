"""The clock for the age of messages."""

from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.chat.age_clock import SPEED, AgeClock

DAY = 86_400.0
STEPS = st.lists(st.tuples(st.floats(0, 600), st.floats(-(10**9), 10**9)), max_size=20)


class Clocks:
    """A wall clock and a monotonic clock, moved by the test."""

    def __init__(self, start: float | None = None) -> None:
        self.wall, self.monotonic = 1000 * DAY, 5.0
        self.jumps: list[float] = []
        self.clock = AgeClock(start, self.jumps.append, lambda: self.wall, lambda: self.monotonic)

    def now(self, seconds: float, jump: float = 0) -> float:
        """Move both clocks by some seconds, and the wall clock by a jump; return the time of the clock."""
        self.monotonic += seconds
        self.wall += seconds + jump
        return self.clock.now()


def test_it_follows_the_wall_clock() -> None:
    clocks = Clocks()
    for _ in range(10):
        assert clocks.now(7.5) == clocks.wall
    assert clocks.now(10, jump=2) == clocks.wall
    assert clocks.now(10, jump=-2) == clocks.wall
    assert clocks.jumps == []


def test_a_jump_and_back() -> None:
    clocks = Clocks()
    clocks.now(1)
    assert clocks.now(1, jump=100 * DAY) - (1000 * DAY + 1) == SPEED
    assert clocks.now(60, jump=-100 * DAY) == clocks.wall
    assert clocks.jumps == [100 * DAY, -100 * DAY]


def test_a_start_while_the_wall_clock_is_wrong() -> None:
    clocks = Clocks(start=900 * DAY)
    assert clocks.now(60) == 900 * DAY + 3600
    assert clocks.jumps == []


@given(STEPS)
def test_it_never_moves_faster(steps: list[tuple[float, float]]) -> None:
    clocks = Clocks()
    before = clocks.clock.now()
    for seconds, jump in steps:
        after = clocks.now(seconds, jump)
        assert abs(after - before) <= seconds * SPEED * 1.001 + 0.01
        before = after
