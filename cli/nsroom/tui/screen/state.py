"""What the live view shows now: the state that layout, key bindings and commands share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nsroom.record import Record
from nsroom.tui.model.model import Model
from nsroom.tui.screen.detail import Detail

if TYPE_CHECKING:  # the screen is painted before the client is loaded, which takes longer
    from nsroom.client.client import Client


_NOTICED = 6.0
"""Seconds for which good news is shown."""


class Mode(StrEnum):
    """The two ways of looking."""

    EVENTS = "events"
    CHAT = "chat"


class Focus(StrEnum):
    """Where the keys go."""

    INPUT = "input"
    STREAM = "stream"
    DETAIL = "detail"
    ASK = "ask"
    HISTORY = "history"
    """The search in what was typed."""


@dataclass(slots=True)
class Question:
    """A line that is asked for in the place of the input."""

    label: str
    done: Callable[[str], None]


@dataclass(slots=True)
class View:
    """The state of the screen."""

    model: Model
    server: str
    client: "Client | None" = None
    """None before there is one, and when a recording is shown."""
    recorded_from: str = ""
    """The name of the recording that is shown in the place of a connection."""
    relaying: str = ""
    """The server between which and its clients `nsroom proxy` stands, in the place of a connection."""
    progress: str = ""
    """How far the recording is read."""
    mode: Mode = Mode.EVENTS
    focus: Focus = Focus.STREAM
    namespace: str = "/"
    room: str = ""
    """Where typed text goes."""
    detail: Detail | None = None
    detail_top: int = 0
    detail_row: int = 0
    chat_back: int = 0
    """How many lines the chat is scrolled back."""
    chat_read: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many lines all chats had when each was left."""
    question: Question | None = None
    notice: str = ""
    """What is said under the input; gone with the next key."""
    notice_failed: bool = False
    notice_at: float = 0.0
    """When it was first seen."""
    failure: str = ""
    """Why there is no connection, when nothing more will come by itself."""
    help: bool = False
    help_top: int = 0
    copying: bool = False
    """Whether the next key chooses the format to copy."""
    deltas: bool = False
    """Whether times are those since the record before."""
    sidebar: bool = True
    recording: str = ""
    recorded: int = 0
    rtt_ms: float | None = None
    transport: str = ""
    stream_height: int = 20
    now: float = 0.0
    """The time of this frame, in seconds since the epoch."""

    @property
    def sends(self) -> bool:
        """Whether this is a connection of our own."""
        return not (self.recorded_from or self.relaying)

    @property
    def of_others(self) -> bool:
        """Whether the connections are those of others, which a proxy has seen or an administrator."""
        return self.model.clients is not None

    @property
    def moment(self) -> int:
        """For when clients are shown, in microseconds since the epoch: now, or the end of a recording."""
        records = self.model.records
        return records[-1].time if self.recorded_from and records else int(self.now * 1e6)

    def say(self, text: str, failed: bool = False) -> None:
        """Say something under the input."""
        self.notice, self.notice_failed, self.notice_at = text, failed, 0.0

    def tick(self, now: float) -> None:
        """Take the time of the next frame; good news is gone after a while."""
        self.now = now
        if self.notice and not self.notice_failed:
            self.notice_at = self.notice_at or now
            if now > self.notice_at + _NOTICED:
                self.say("")

    def show_detail(self) -> None:
        """Show the selected record's detail, where the detail is open."""
        index = self.model.cursor
        record, answer = self.model.selected(), None
        if record is None or index is None:
            return
        answer = self.model.answer(index)
        if self.detail is None or self.detail.record is not record or self.detail.answer is not answer:
            self.detail = Detail(record, answer)
            self.detail_top = self.detail_row = 0

    def selected(self) -> Record | None:
        """Give the selected record, or say that there is none."""
        record = self.model.selected()
        if record is None:
            self.say("nothing is selected: go to a row with ↑", failed=True)
        return record

    def go(self, namespace: str, room: str = "") -> None:
        """Let typed text go to this room."""
        self.leave_chat()
        self.namespace, self.room = namespace, room
        spaces = self.model.namespaces
        spaces.current, spaces.room = namespace, room
        spaces[namespace].unread = 0
        if known := spaces[namespace].rooms.get(room):
            known.unread = 0
        self.chat_back = 0

    def leave_chat(self) -> None:
        """Remember how far the chat was read."""
        self.chat_read[self.namespace, self.room] = self.model.chats.number
        if len(self.chat_read) > 1000:
            del self.chat_read[next(iter(self.chat_read))]
