"""Play a recording: show its rows at the pace at which they were recorded.

The records are all read before. While a part is played, the model shows only the rows of the records before
the position; the selection, the filter and the search work on those.
"""

from nsroom.tui.model.model import Model

MAX_SPEED, MIN_SPEED = 1024.0, 1 / 64
_MAX_ROWS = 5000
"""Records shown in one frame: at a high speed, the keys still work at once."""


class Playback:
    """The position in a recording, and the clock that moves it. Times of our clock are in seconds."""

    def __init__(self, model: Model) -> None:
        self.speed = 1.0
        self.is_playing = False
        self.clock = 0
        """The recorded time that is reached, in microseconds."""
        self._model = model
        self._ticked = 0.0

    @property
    def position(self) -> int:
        """The index of the first record that is not shown yet."""
        return max(self._model.shown_until, self._model.ring.first)

    @property
    def is_partial(self) -> bool:
        """Whether a part of the recording is not shown yet."""
        return self.position < self._model.ring.end

    def toggle(self, now: float) -> None:
        """Play from the selected row, else from where it stopped, else from the start; or pause."""
        if self.is_playing:
            self.is_playing = False
            return
        model = self._model
        if model.cursor is not None:
            self._move(model.cursor + 1)
        if not self.is_partial:
            self._move(model.ring.first)
        self._play(now)

    def start(self, now: float, speed: float) -> None:
        """Play from the start."""
        self.speed = speed
        self._move(self._model.ring.first)
        self._play(now)

    def _play(self, now: float) -> None:
        self._model.follow()
        self.is_playing, self._ticked = self.is_partial, now
        self._show_due()

    def tick(self, now: float) -> None:
        """Show the rows that are due."""
        if self.is_playing:
            # A clock that is set back or a computer that slept does not skip a part.
            self.clock += round(min(max(now - self._ticked, 0), 2) * self.speed * 1e6)
            self._ticked = now
            self._show_due()

    def _show_due(self) -> None:
        model, position = self._model, self.position
        end = min(model.ring.end, position + _MAX_ROWS)
        while position < end and model[position].time <= self.clock:
            position += 1
        model.show_until(position)
        self.is_playing = self.is_playing and self.is_partial

    def next_due(self) -> float | None:
        """Return the seconds until the next row is due, or None if it is not playing."""
        if not self.is_playing:
            return None
        return max(self._model[self.position].time - self.clock, 0) / 1e6 / self.speed

    def step(self, forward: bool) -> None:
        """Show the next row, or hide the last one, and pause."""
        model = self._model
        self.is_playing = False
        if forward:
            self._move(model.next_row(self.position) + 1)
        elif model.rows:
            self._move(model.rows[-1])

    def seek(self, time: int) -> None:
        """Go to a recorded time, in microseconds: show the rows until then."""
        model = self._model
        after = (index for index in range(model.ring.first, model.ring.end) if model[index].time > time)
        self._move(next(after, model.ring.end))
        self.clock = time
        self.is_playing = self.is_playing and self.is_partial

    def set_speed(self, speed: float) -> None:
        """Set the speed, within its limits."""
        self.speed = min(max(speed, MIN_SPEED), MAX_SPEED)

    def _move(self, position: int) -> None:
        """Show the rows before a position, and set the clock to its time."""
        model = self._model
        model.show_until(position)
        model.follow()
        last = min(max(self.position - 1, model.ring.first), model.ring.end - 1)
        self.clock = model[last].time if model.records else 0
