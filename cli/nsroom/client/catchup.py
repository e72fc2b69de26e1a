"""The rooms whose messages are numbered: what of them was seen, and what a lost connection kept from us.

Pure. The reference server numbers the messages of a room without holes and answers a join with the last
number. Another server's rooms are not kept here, and nothing happens to their records.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nsroom.client.acks import refusal
from nsroom.client.events import Emit
from nsroom.record import Direction, Json, Kind, Record

_OTHER_STORE = "epoch"
"""What a server says when the ids of a client are not of its store."""

_MOST_ADRIFT = 10_000
_MOST_EARLY = 1000


@dataclass(slots=True)
class Place:
    """One room of one namespace."""

    namespace: str
    room: str
    epoch: str
    last: int
    """The id up to which nothing is missing, as far as can be known."""
    replayed: int = 0
    """The id up to which what comes was shown already."""
    held: list[Record] | None = None
    """What comes before it is known what was missed."""
    adrift: list[Record] = field(default_factory=list)
    """What came so over connections that were lost before it was known."""
    count: int = 0
    """How many messages were replayed after the last gap."""
    unknown: str | None = None
    """Why there may be more that were missed."""

    @property
    def summary(self) -> dict[str, Json]:
        """What the record of a gap says of it."""
        return {
            "namespace": self.namespace,
            "room": self.room,
            "replayed": self.count,
            "unknown": self.unknown,
        }


class Attendance:
    """All such rooms of one client."""

    def __init__(self, sequence: Iterator[int], clock: Callable[[], int]) -> None:
        self._sequence = sequence
        self._clock = clock
        self._places: dict[tuple[str, str], Place] = {}
        self._early: dict[tuple[str, str], int] = {}
        """The last ids that came of rooms whose join is not answered yet: the answer may be older."""

    def joined(self, answer: Record) -> None:
        """Take an acknowledgement; that of a first join is where the counting of a room begins."""
        match answer.args:
            case [{"ok": True, "members": list(), "room": str(room), "epoch": str(epoch), "last": int(last)}]:
                key = (answer.namespace or "/", room)
                place = self._places.get(key)
                if place is None or place.held is None:
                    seen = place.last if place and place.epoch == epoch else self._early.pop(key, 0)
                    adrift = place.adrift if place else []
                    self._places[key] = Place(*key, epoch, max(last, seen), adrift=adrift)

    def is_due(self, record: Record) -> bool:
        """Tell whether a record is to be shown: no message that was, and none whose turn has not come."""
        if record.event != "message":
            return True
        key, number = self._find(record)
        place = self._places.get(key) if key else None
        if place is None:
            if key and number is not None and (key in self._early or len(self._early) < _MOST_EARLY):
                self._early[key] = number
            return True
        if place.held is not None:
            place.held.append(record)
            return False
        return self._is_news(place, number)

    def _is_news(self, place: Place | None, number: int | None) -> bool:
        if place is None or number is None:
            return True
        place.last = max(place.last, number)
        return number > place.replayed

    def _find(self, record: Record) -> tuple[tuple[str, str] | None, int | None]:
        """Give the room of a message, and its id."""
        if record.direction is not Direction.IN or record.kind is not Kind.EVENT:
            return None, None
        body = record.args[0] if record.args else None
        if not isinstance(body, dict):
            return None, None
        number = body.get("id")
        key = (record.namespace or "/", str(body.get("room")))
        return key, number if isinstance(number, int) else None

    def again(self, join: Emit) -> tuple[Emit, Place | None]:
        """Give the join to repeat, which asks for what was missed; live messages wait until that is known."""
        room = join.args[0] if join.args else None
        fields = room if isinstance(room, dict) else {"room": room}
        place = self._places.get((join.namespace, str(fields.get("room"))))
        if place is None:
            return join, None
        place.held, place.count, place.unknown = [], 0, None
        known = {"after": place.last, "epoch": place.epoch}
        return join._replace(args=[{**fields, **known}, *join.args[1:]]), place

    def replay(self, place: Place, page: Json) -> list[Record]:
        """Make records of the missed messages that an answer holds."""
        match page:
            case {"history": [*bodies], "epoch": str(epoch), "gap": gap}:
                place.unknown = place.unknown or gap
                before = self._begin_anew(place, epoch) if gap == _OTHER_STORE or epoch != place.epoch else []
                return [*before, *self._missed(place, bodies)]
        refused = refusal([page])
        place.unknown = str(refused.code) if refused else "no answer"
        return []

    def _begin_anew(self, place: Place, epoch: str) -> list[Record]:
        """Count from the beginning of another store; give what is still to be shown of the one before."""
        adrift, place.adrift = place.adrift, []
        before = self._due(adrift)
        place.epoch, place.last, place.replayed = epoch, 0, 0
        return before

    def _missed(self, place: Place, bodies: list[Json]) -> Iterator[Record]:
        for body in bodies:
            number = body.get("id") if isinstance(body, dict) else None
            if not isinstance(number, int):
                continue
            if number > place.last:
                place.count += 1
                yield self._made(place, body)
            place.last = place.replayed = max(place.last, number)

    def _made(self, place: Place, body: Json) -> Record:
        return Record(
            self._clock(),
            next(self._sequence),
            Direction.IN,
            Kind.EVENT,
            place.namespace,
            event="message",
            args=[body],
            data={"replayed": True},
        )

    def further(self, place: Place, page: Json) -> Emit | None:
        """Give the event that asks for the rest, if an answer did not hold everything that was missed."""
        match page:
            case {"history": [*_, {"id": int(number)}], "last": int(last)} if number < last:
                args = {"room": place.room, "after": number, "epoch": place.epoch}
                return Emit(place.namespace, "history", [args])
        return None

    def release(self, place: Place) -> list[Record]:
        """Give the live messages that had to wait and were not replayed."""
        waited, place.adrift, place.held = [*place.adrift, *(place.held or [])], [], None
        return self._due(waited)

    def interrupt(self) -> None:
        """Keep what waits for the next connection, up to a bound; what is more is asked for again."""
        self._early.clear()
        for place in self._places.values():
            place.adrift = [*place.adrift, *(place.held or [])][:_MOST_ADRIFT]
            place.held = None

    def give_up(self) -> list[Record]:
        """Give all that still waits: there will be no answer any more."""
        return [record for place in self._places.values() for record in self.release(place)]

    def _due(self, waited: list[Record]) -> list[Record]:
        """Give those of the messages that were not shown yet, as if they came now."""
        found = [(record, *self._find(record)) for record in waited]
        due = [
            record for record, key, number in found if key and self._is_news(self._places.get(key), number)
        ]
        return [record._replace(seq=next(self._sequence)) for record in due]


def describe(places: Sequence[Place]) -> str:
    """Say what is known of rooms after a gap."""
    count = sum(place.count for place in places)
    shown = f"{count} missed messages of {_names(place for place in places if place.count)} are shown now"
    whole = _names(place for place in places if place.unknown)
    return "; ".join([shown] * bool(count) + [f"what was said in {whole} is not known whole"] * bool(whole))


def _names(places: Iterable[Place]) -> str:
    return ", ".join(dict.fromkeys(place.room for place in places))
