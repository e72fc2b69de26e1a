"""The pages of `top`: lists of namespaces, rooms, sockets and events. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from nsroom.record import Record
from nsroom.tui.top.activity import Activity, Scope, Source
from nsroom.tui.top.rows import COLUMNS, RATE, Column, Level, Row, RowBuilder

_REFRESH_INTERVAL = 250_000
"""Microseconds between two snapshots, at least."""
_PER_SOCKET = 20
"""The same for each socket if there are many: ten times the CPU time of its part of a snapshot."""
_ADMIN_ONLY = ("transport", "address", "since", "events/s")
"""Columns with values only from an admin namespace."""
_OPTIONAL = ("who", "server")
"""Columns that are left out if no socket has a value for them."""
_BELOW = {Level.NAMESPACES: Level.ROOMS, Level.ROOMS: Level.SOCKETS, Level.SOCKETS: Level.EVENTS}


@dataclass(slots=True)
class Page:
    """A list, and the reader's position in it."""

    level: Level
    scope: Scope
    selected: Scope | None = None
    """None until the reader selects a row; the first row then stays selected."""
    at: int = 0
    top: int = 0
    pattern: str = ""
    """Only rows that contain this text are shown."""
    scrolled: int = 0
    """The number of lines that the events are scrolled back."""


class Model:
    """The pages from the namespaces down to the current one."""

    def __init__(self, source: Source, sees_events: bool = True, namespaces: Sequence[str] = ()) -> None:
        self.activity = Activity(source)
        self.sees_events = sees_events
        self.pages = [Page(Level.NAMESPACES, Scope(""))]
        self.rows: list[Row] = []
        self.count = 0
        """The number of rows without the filter."""
        self.now = 0
        self.searched = ""
        """The text that was last searched for."""
        self.sorts = dict.fromkeys(Level, ("events/s" if sees_events else "sockets", False))
        """The sort column of each level, and whether the order is reversed."""
        if not sees_events:
            self.sorts[Level.SOCKETS] = "sid", False
        self._namespaces = namespaces
        self._empty: list[str] = []
        """The columns of sockets for which no socket has a value."""
        self._pause = _REFRESH_INTERVAL
        self._next_refresh = 0

    @property
    def page(self) -> Page:
        """The current page."""
        return self.pages[-1]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns that rows of this page have values for."""
        return COLUMNS[self.page.level]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are not empty."""
        empty = {*(() if self.sees_events else _ADMIN_ONLY), *self._empty}
        return tuple(each for each in self.all_columns if each.name not in empty)

    def learn(self, records: Sequence[Record], now: int) -> None:
        """Learn from records of sockets."""
        self.activity.learn(records, now // 1_000_000)

    def tick(self, now: int) -> None:
        """Set the time of the next frame; refresh if a second has started or the snapshot is old.

        The snapshots of many sockets are taken less often: the keys must not wait for them.
        """
        is_new_second = now // 1_000_000 != self.now // 1_000_000
        self.now = now
        if now < self._next_refresh and not (is_new_second and self._pause == _REFRESH_INTERVAL):
            return
        self.activity.refresh(now)
        self._pause = max(_REFRESH_INTERVAL, _PER_SOCKET * len(self.activity.sockets))
        self._next_refresh = now + self._pause
        self.rebuild()

    def rebuild(self) -> None:
        """Build the rows of the current page."""
        all_label = "all sockets" if self.sees_events else "all members"
        builder = RowBuilder(self.activity, self.now, self._namespaces, all_label)
        rows = builder.rows(self.page.level, self.page.scope)
        self.count = len(rows)
        self._empty = [
            column.name
            for at, column in enumerate(self.all_columns)
            if column.name in _OPTIONAL and not any(row.values[at] for row in rows)
        ]
        if self.page.pattern:
            pattern = self.page.pattern.casefold()
            rows = [row for row in rows if row.is_all or _contains(row, pattern)]
        column, is_reversed = self.sorts[self.page.level]
        self.rows = self._sorted(rows, column, is_reversed)
        self._restore_selection()

    def _sorted(self, rows: list[Row], name: str, is_reversed: bool) -> list[Row]:
        """Sort numbers from the highest, texts from A, and equal rows by their number of sockets."""
        rows.sort(key=lambda row: str(row.values[0]).casefold())
        for key, reverse in (("sockets", False), (name, is_reversed)):
            for at, column in enumerate(self.all_columns):
                if column.name == key:
                    rows.sort(key=partial(self._rank, at), reverse=column.is_number != reverse)
        rows.sort(key=lambda row: not row.is_all)
        return rows

    def _rank(self, at: int, row: Row) -> tuple[int, str]:
        """Return the sort key of a value: unknown ones first, then numbers, or texts ignoring case."""
        value = row.values[at]
        if self.all_columns[at] is RATE:  # with the rate of one second, rows would jump
            return (row.rate.total(self.now // 1_000_000) if row.rate else 0), ""
        if isinstance(value, int):
            return value, ""
        return (-1, "") if value is None else (0, value.casefold())

    def _restore_selection(self) -> None:
        """Keep the selected row selected, or the one at its position if it no longer exists."""
        page = self.page
        scopes = [row.scope for row in self.rows]
        if page.selected in scopes:
            page.at = scopes.index(page.selected)
        elif page.selected is not None:
            page.at = max(min(page.at, len(scopes) - 1), 0)
            page.selected = scopes[page.at] if scopes else None

    def visible(self, height: int) -> tuple[list[Row], int]:
        """Return the rows in a window of this height, and the position of the selected one."""
        page = self.page
        last = max(len(self.rows) - height, 0)
        page.top = max(min(page.top, page.at, last), page.at - height + 1, 0)
        return self.rows[page.top : page.top + height], page.at - page.top

    def move(self, steps: int) -> None:
        """Move the selection by rows, or scroll the events by lines."""
        page = self.page
        if page.level is Level.EVENTS:
            page.scrolled = min(max(page.scrolled - steps, 0), max(self._event_count() - 1, 0))
        elif self.rows:
            page.at = min(max(page.at + steps, 0), len(self.rows) - 1)
            page.selected = self.rows[page.at].scope

    def _event_count(self) -> int:
        return len(self.activity.watched_lines())

    def home(self) -> None:
        """Go to the first row and stay at the top."""
        self.move(-len(self.rows) - self._event_count())
        self.page.selected = None

    def end(self) -> None:
        """Go to the last row."""
        self.move(len(self.rows) + self._event_count())

    def enter(self) -> None:
        """Open the selected row."""
        below = _BELOW.get(self.page.level)
        if below is None or self.page.at >= len(self.rows):
            return
        row = self.rows[self.page.at]
        self.page.selected = row.scope
        if below is Level.EVENTS:
            self.activity.watch((row.scope.namespace, row.scope.sid or ""))
        self._show([*self.pages, Page(below, row.scope)])

    def back(self) -> bool:
        """Remove the filter, or else close the page; return whether either was possible."""
        if self.page.pattern:
            self.filter("")
            return True
        if len(self.pages) == 1:
            return False
        self._show(self.pages[:-1])
        return True

    def _show(self, pages: list[Page]) -> None:
        self.pages = pages
        self.rebuild()

    def filter(self, text: str) -> None:
        """Show only rows that contain the text, ignoring case."""
        self.page.pattern = text
        self.rebuild()

    def search(self, text: str, forward: bool = True) -> bool:
        """Select the next row that contains the text, ignoring case; return whether there is one."""
        self.searched = text
        pattern, count = text.casefold(), len(self.rows)
        for distance in range(1, count + 1):
            at = (self.page.at + (distance if forward else -distance)) % count
            if _contains(self.rows[at], pattern):
                self.move(at - self.page.at)
                return True
        return False

    @property
    def selected(self) -> Scope | None:
        """The selected namespace, room or socket, or the one that the page is about."""
        if self.page.level is Level.EVENTS:
            return self.page.scope
        return self.rows[self.page.at].scope if self.page.at < len(self.rows) else None

    def sort(self) -> None:
        """Sort by the next column."""
        names = [column.name for column in self.columns]
        if names:
            name, _ = self.sorts[self.page.level]
            at = names.index(name) if name in names else -1
            self.sorts[self.page.level] = names[(at + 1) % len(names)], False
            self.rebuild()

    def reverse(self) -> None:
        """Reverse the order."""
        name, is_reversed = self.sorts[self.page.level]
        self.sorts[self.page.level] = name, not is_reversed
        self.rebuild()

    @property
    def is_gone(self) -> bool:
        """Whether the page's room or socket no longer exists."""
        scope, activity = self.page.scope, self.activity
        if self.page.level is Level.EVENTS:
            return (scope.namespace, scope.sid or "") not in activity.sockets
        if self.page.level is Level.SOCKETS and scope.room is not None:
            return scope.room not in activity.rooms.get(scope.namespace, ())
        return False


def _contains(row: Row, pattern: str) -> bool:
    return any(pattern in value.casefold() for value in row.values if isinstance(value, str))
