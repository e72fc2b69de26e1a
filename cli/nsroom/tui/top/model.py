"""Where somebody stands among namespaces, rooms, sockets and events. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from nsroom.record import Record
from nsroom.tui.top.activity import Census, Place, Source
from nsroom.tui.top.rows import COLUMNS, RATE, Column, Level, Lister, Row

_CALM = 250_000
"""Microseconds between two looks at what there is."""
_NEED_ADMIN = ("transport", "address", "since", "events/s")
"""What only an admin namespace tells."""
_BELOW = {Level.NAMESPACES: Level.ROOMS, Level.ROOMS: Level.SOCKETS, Level.SOCKETS: Level.EVENTS}


@dataclass(slots=True)
class Page:
    """A list, and where the reader is in it."""

    level: Level
    place: Place
    selected: Place | None = None
    """None at the start: then the first row is, whichever it becomes."""
    at: int = 0
    top: int = 0
    pattern: str = ""
    """Only rows that hold this text are listed."""
    back: int = 0
    """How many lines the events are scrolled back."""


class Model:
    """The pages from the namespaces down to where the reader is."""

    def __init__(self, source: Source, sees_events: bool = True, namespaces: Sequence[str] = ()) -> None:
        self.census = Census(source)
        self.sees_events = sees_events
        self.pages = [Page(Level.NAMESPACES, Place(""))]
        self.rows: list[Row] = []
        self.count = 0
        """Rows that there are without the filter."""
        self.now = 0
        self.sorts = dict.fromkeys(Level, ("events/s" if sees_events else "sockets", False))
        """By which column each level is sorted, and whether the other way round."""
        if not sees_events:
            self.sorts[Level.SOCKETS] = "sid", False
        self._namespaces = namespaces
        self._named = False
        """Whether any socket says who it is."""
        self._due = 0

    @property
    def page(self) -> Page:
        """The list that is looked at."""
        return self.pages[-1]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """What a row of the page has values for."""
        return COLUMNS[self.page.level]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of them that there is anything in."""
        unseen = {*(() if self.sees_events else _NEED_ADMIN), *(() if self._named else ("who",))}
        return tuple(each for each in COLUMNS[self.page.level] if each.name not in unseen)

    def learn(self, records: Sequence[Record], now: int) -> None:
        """Take in what sockets did."""
        self.census.learn(records, now // 1_000_000)

    def tick(self, now: int) -> None:
        """Take the time of the next frame; what there is, is looked at again now and then."""
        turned = now // 1_000_000 != self.now // 1_000_000
        self.now = now
        if now >= self._due or turned:
            self._due = now + _CALM
            self.census.refresh(now)
            self.arrange()

    def arrange(self) -> None:
        """List anew what there is."""
        everything = "all sockets" if self.sees_events else "all members"
        lister = Lister(self.census, self.now, self._namespaces, everything)
        rows = lister.rows(self.page.level, self.page.place)
        self.count = len(rows)
        self._named = self.page.level is Level.SOCKETS and any(row.values[1] for row in rows)
        if self.page.pattern:
            wanted = self.page.pattern.casefold()
            rows = [row for row in rows if row.is_all or _holds(row, wanted)]
        column, turned = self.sorts[self.page.level]
        self.rows = self._sorted(rows, column, turned)
        self._find()

    def _sorted(self, rows: list[Row], name: str, turned: bool) -> list[Row]:
        """Sort: numbers from the greatest down, texts from A; what is equal, by how many sockets it has."""
        columns = COLUMNS[self.page.level]
        rows.sort(key=lambda row: str(row.values[0]).casefold())
        for wanted, turn in (("sockets", False), (name, turned)):
            for at, column in enumerate(columns):
                if column.name == wanted:
                    rows.sort(key=partial(self._rank, at), reverse=column.is_number != turn)
        rows.sort(key=lambda row: not row.is_all)
        return rows

    def _rank(self, at: int, row: Row) -> tuple[int, str]:
        """Order numbers, and texts in any case; what is not known is less than anything."""
        value = row.values[at]
        if COLUMNS[self.page.level][at] is RATE:  # one second is too little: rows would jump
            return (row.rate.total(self.now // 1_000_000) if row.rate else 0), ""
        if isinstance(value, int):
            return value, ""
        return (-1, "") if value is None else (0, value.casefold())

    def _find(self) -> None:
        """Stay on the row that is selected; where it is gone, on the one in its place."""
        page = self.page
        places = [row.place for row in self.rows]
        if page.selected in places:
            page.at = places.index(page.selected)
        elif page.selected is not None:
            page.at = max(min(page.at, len(places) - 1), 0)
            page.selected = places[page.at] if places else None

    def visible(self, height: int) -> tuple[list[Row], int]:
        """Give the rows that a window of this height shows, and which of them is selected."""
        page = self.page
        last = max(len(self.rows) - height, 0)
        page.top = max(min(page.top, page.at, last), page.at - height + 1, 0)
        return self.rows[page.top : page.top + height], page.at - page.top

    def move(self, steps: int) -> None:
        """Select the row so many further; the events are scrolled."""
        page = self.page
        if page.level is Level.EVENTS:
            page.back = min(max(page.back - steps, 0), max(len(self.census.seen()) - 1, 0))
        elif self.rows:
            page.at = min(max(page.at + steps, 0), len(self.rows) - 1)
            page.selected = self.rows[page.at].place

    def home(self) -> None:
        """Go to the first row, and stay at the top."""
        self.move(-len(self.rows) - len(self.census.seen()))
        self.page.selected = None

    def end(self) -> None:
        """Go to the last row."""
        self.move(len(self.rows) + len(self.census.seen()))

    def enter(self) -> None:
        """Go into what is selected."""
        below = _BELOW.get(self.page.level)
        if below is None or self.page.at >= len(self.rows):
            return
        row = self.rows[self.page.at]
        self.page.selected = row.place
        if below is Level.EVENTS:
            self.census.watch((row.place.namespace, row.place.sid or ""))
        self._go([*self.pages, Page(below, row.place)])

    def back(self) -> bool:
        """Take the filter off, else go back up; say whether there was either."""
        if self.page.pattern:
            self.filter("")
            return True
        if len(self.pages) == 1:
            return False
        self._go(self.pages[:-1])
        return True

    def _go(self, pages: list[Page]) -> None:
        self.pages = pages
        self.arrange()

    def filter(self, text: str) -> None:
        """List only what holds the text, in any case."""
        self.page.pattern = text
        self.arrange()

    def sort(self) -> None:
        """Sort by the next column."""
        names = [column.name for column in self.columns]
        if names:
            name, _ = self.sorts[self.page.level]
            at = names.index(name) if name in names else -1
            self.sorts[self.page.level] = names[(at + 1) % len(names)], False
            self.arrange()

    def reverse(self) -> None:
        """Sort the other way round."""
        name, turned = self.sorts[self.page.level]
        self.sorts[self.page.level] = name, not turned
        self.arrange()

    @property
    def is_gone(self) -> bool:
        """Whether what the page is about is no longer there."""
        place, census = self.page.place, self.census
        if self.page.level is Level.EVENTS:
            return (place.namespace, place.sid or "") not in census.sockets
        if self.page.level is Level.SOCKETS and place.room is not None:
            return place.room not in census.rooms.get(place.namespace, ())
        return False


def _holds(row: Row, wanted: str) -> bool:
    return any(wanted in value.casefold() for value in row.values if isinstance(value, str))
