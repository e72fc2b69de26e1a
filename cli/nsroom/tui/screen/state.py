"""What the screen shows: mode, focus, selection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from operator import is_
from typing import TYPE_CHECKING

from nsroom.client.messages import DEFAULT_EVENT
from nsroom.output.times import Times
from nsroom.proxy.intercepting import Waiting
from nsroom.record import Record
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.groups import GroupKey
from nsroom.tui.model.model import Model
from nsroom.tui.model.namespaces import Namespaces
from nsroom.tui.model.playback import Playback
from nsroom.tui.model.timeline import Moment, Timeline
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.notice import Notice
from nsroom.tui.screen.palette import Palette
from nsroom.tui.screen.scroll import Scroll
from nsroom.tui.screen.side_pane import SidePane

if TYPE_CHECKING:  # the client takes longer to load than the first frame to draw
    from nsroom.client.client import Client
    from nsroom.proxy.interceptor import Interceptor

_MAX_CHATS = 1000


FILTER = "filter"
"""The label of the question for a filter."""


class Mode(StrEnum):
    """The list of all events, the chat of one room, or the figures of each event."""

    EVENTS = "events"
    CHAT = "chat"
    GROUPS = "groups"


class Focus(StrEnum):
    """The pane that gets the keys."""

    INPUT = "input"
    STREAM = "stream"
    DETAIL = "detail"
    SIDEBAR = "sidebar"
    ASK = "ask"
    HISTORY = "history"
    """The search in the input history."""


class RowColour(StrEnum):
    """The name that the colour of an event's row is chosen by."""

    NONE = "none"
    EVENT = "event"
    NAMESPACE = "namespace"


class Leaving(StrEnum):
    """The function whose key leaves the view when it is pressed once more."""

    QUIT = "leave"
    INTERRUPT = "interrupt"


@dataclass(slots=True)
class Question:
    """A question that replaces the input line until it is answered."""

    label: str
    done: Callable[[str], None]
    asked_in: Focus
    """The pane that gets the keys again after the answer."""
    is_command: Callable[[str], bool] | None = None
    """Whether an answer is a /command, typed without its slash; None if it must not be one."""


@dataclass(slots=True)
class View:
    """The state that layout, key bindings and commands share."""

    model: Model
    server: str
    client: "Client | None" = None
    """None before the first connection, and for recordings and proxies."""
    recording_name: str = ""
    """The name of the recording, if this shows one instead of a connection."""
    proxied_server: str = ""
    """The server behind `nsroom proxy`, if this shows a proxy instead of a connection."""
    via: str = ""
    """The way to see a server from inside (`/admin`), if this shows its sockets instead of a connection."""
    progress: str = ""
    """How much of the recording is read."""
    playback: Playback | None = None
    """What plays the recording, once it is read."""
    timeline: Timeline | None = None
    """What was known at each record of the recording."""
    mode: Mode = Mode.EVENTS
    focus: Focus = Focus.STREAM
    namespace: str = "/"
    """The namespace and the room to send typed text to."""
    room: str = ""
    detail: Detail | None = None
    detail_top: int = 0
    detail_row: int = 0
    comparing: bool = False
    """Whether the detail shows what differs from the previous record of the same event."""
    chat_scroll: int = 0
    """The number of lines that the chat is scrolled back."""
    chat_read: dict[tuple[str, str], int] = field(default_factory=dict)
    """For each chat, the number of the last line when the user left it."""
    question: Question | None = None
    matching: str = ""
    """How many records match the filter that is being typed, or why none can."""
    interceptor: "Interceptor | None" = None
    """What lets packets of the proxy wait, if --intercept is given."""
    notice: Notice = field(default_factory=Notice)
    failure: str = ""
    """Why the connection failed, if nothing reconnects it."""
    help: HelpPane = field(default_factory=HelpPane)
    palette: Palette | None = None
    """The functions to select from, while that is the question."""
    count: int = 0
    """The number typed before the key that is being handled; 0 without one."""
    typed_count: str = ""
    """The number typed before the next key."""
    copying: bool = False
    """Whether the next key selects the format to copy."""
    leaving: Leaving | None = None
    """The key that asked whether to leave, while it may be confirmed."""
    times: Times = Times.LOCAL
    """What the column of times shows."""
    other_times: Times = Times.LOCAL
    """What it showed before the times since the previous row."""
    row_colour: RowColour = RowColour.NONE
    sidebar: bool | None = None
    """Whether the user wants the sidebar; None to show it if the screen is wide enough."""
    group: GroupKey | None = None
    """The selected group."""
    group_scroll: Scroll = field(default_factory=Scroll)
    drilled: tuple[str, str] | None = None
    """The filter that Enter in the groups has set, and the one before it, which Esc restores."""
    time_line: bool = False
    """Whether to show the rate over the session."""
    side: SidePane = field(default_factory=SidePane)
    saved_to: str = ""
    """The file that records are being saved to."""
    saved: int = 0
    """The number of records in that file."""
    rtt_ms: float | None = None
    transport: str = ""
    stream_height: int = 20
    now: float = 0.0
    """The time of this frame, in seconds since the epoch."""

    @property
    def in_utc(self) -> bool:
        """Whether times of day are in UTC instead of the local zone."""
        return Times.UTC in (self.times, self.other_times)

    @property
    def can_send(self) -> bool:
        """Whether this is a connection of our own."""
        return not (self.recording_name or self.proxied_server or self.via)

    @property
    def waiting(self) -> Waiting | None:
        """The selected packet, if it waits in the proxy and is not decided yet."""
        if self.interceptor is None or self.model.cursor is None:
            return None
        waiting = self.interceptor.interception.waiting
        ids = (id for id, index in self.model.pending.items() if index == self.model.cursor)
        found = waiting.get(next(ids, 0))
        return found if found is not None and found.outcome is None else None

    @property
    def is_modal(self) -> bool:
        """Whether the next key is for the help, the choice of a copy format, or for leaving."""
        return self.help.is_open or self.copying or self.leaving is not None

    @property
    def unsaved(self) -> int:
        """The number of records that are lost on leaving; 0 if there were no events."""
        if self.saved_to or self.recording_name or not self.model.groups.events:
            return 0
        return len(self.model.records)

    @property
    def knows_server(self) -> bool:
        """Whether the server is known to be the reference server."""
        return self.client is not None and self.client.is_reference_server(self.namespace)

    @property
    def message_event(self) -> str:
        """The event that typed text becomes."""
        messages = self.model.chats.message_events
        shape = messages.find(self.namespace, self.room, self.knows_server)
        return shape.event if shape else DEFAULT_EVENT

    @property
    def is_observing(self) -> bool:
        """Whether the records are those of other clients, seen by a proxy or through an admin namespace."""
        return self.model.clients is not None

    @property
    def moment(self) -> Moment | None:
        """What was known at the selected row of a recording, else at the last one; None for a connection."""
        model = self.model
        if self.timeline is None or self.playback is None or not model.records:
            return None
        last = max(self.playback.position - 1, model.ring.first)
        return self.timeline.after(model.cursor if model.cursor is not None else last)

    @property
    def shown_namespaces(self) -> Namespaces:
        """The namespaces and rooms to show: as they were then in a recording, else as they are."""
        return moment.namespaces if (moment := self.moment) else self.model.namespaces

    @property
    def shown_clients(self) -> Clients | None:
        """The clients to show: as they were then in a recording, else as they are."""
        return moment.clients if (moment := self.moment) else self.model.clients

    @property
    def client_time(self) -> int:
        """The time at which to show the clients, in microseconds: now, or that of the row in a recording."""
        if not self.recording_name or not self.model.records:
            return int(self.now * 1e6)
        moment = self.moment
        return self.model[moment.index - 1].time if moment else self.model.records[-1].time

    @property
    def is_drilled(self) -> bool:
        """Whether the filter is the one that Enter in the groups has set."""
        where = self.model.where
        return self.drilled is not None and where is not None and where.text == self.drilled[0]

    @property
    def second(self) -> int:
        """The time at which to show rates, in seconds: now, or the end of the recording."""
        records = self.model.records
        return records[-1].time // 1_000_000 if self.recording_name and records else int(self.now)

    def tick(self, now: float) -> None:
        """Set the time of the next frame."""
        self.now = now
        self.notice.tick(now)
        if self.playback is not None:
            self.playback.tick(now)

    def show_detail(self) -> None:
        """Show the detail of the selected record."""
        index, record = self.model.cursor, self.model.selected()
        if record is None or index is None:
            return
        answer = self.model.answer(index)
        previous = self.model.previous(index) if self.comparing else None
        wanted = (record, answer, previous)
        if self.detail is None or not all(map(is_, wanted, self.detail.shown)):
            self.detail = Detail(record, answer, previous)
            self.detail_top = self.detail_row = 0

    def require_selected(self) -> Record | None:
        """Return the selected record; without one, show a notice and return None."""
        record = self.model.selected()
        if record is None:
            self.notice.show("nothing is selected: select a row with ↑", failed=True)
        return record

    def go_to(self, namespace: str, room: str = "") -> None:
        """Send typed text to this room from now on."""
        self.mark_chat_read()
        self.namespace, self.room = namespace, room
        namespaces = self.model.namespaces
        namespaces.current, namespaces.room = namespace, room
        namespaces[namespace].unread = 0
        if known := namespaces[namespace].rooms.get(room):
            known.unread = 0
        self.chat_scroll = 0

    def mark_chat_read(self) -> None:
        """Remember how far the current chat was read."""
        self.chat_read[self.namespace, self.room] = self.model.chats.number
        if len(self.chat_read) > _MAX_CHATS:
            del self.chat_read[next(iter(self.chat_read))]
