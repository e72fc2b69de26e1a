"""What the server promises of a room's messages, checked on what was recorded while things broke.

Pure. The promise:

* Ids have no holes, and a message is stored once.
* What was acknowledged is stored, with the id that the acknowledgement named.
* The messages of one connection are stored in the order in which it sent them.
* Everyone sees the same message for an id, in the order of the ids, and sees it once.
* Who sees a message and not the one before it was told so (`Gap`), for a reason that holds.
* A client that catches up sees everything that is stored, from its first message to the last one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was stored or seen; `id` is None if it was delivered and not stored."""

    id: int | None
    text: str
    """Unique among all messages."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A viewer was told that messages may be missing here, or came to the room anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """What one client saw, in its order."""

    name: str
    seen: Sequence[Message | Gap]
    catches_up: bool = True
    """Whether it asks for what it has missed."""


@dataclass(frozen=True, slots=True)
class History:
    """One room: what was sent, acknowledged, stored and seen."""

    stores: Mapping[str, Sequence[Message]]
    """By epoch, the oldest epoch first; each in the order of its ids."""
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    """The id that the sender of each text was told."""
    sent: Sequence[Sequence[str]] = ()
    """The texts of each connection, in the order in which it sent them."""
    viewers: Sequence[Viewer] = ()

    @property
    def stored(self) -> list[Message]:
        """The messages of all stores."""
        return [message for store in self.stores.values() for message in store]


def broken(history: History) -> list[str]:
    """Return how the promise is broken: one line for each case."""
    found = [*_store_faults(history), *_acknowledgement_faults(history), *_order_faults(history)]
    for viewer in history.viewers:
        found += [f"{viewer.name}: {fault}" for fault in _viewer_faults(history, viewer)]
    return found


def _store_faults(history: History) -> Iterator[str]:
    for epoch, store in history.stores.items():
        for one, other in pairwise(store):
            if other.id != (one.id or 0) + 1:
                yield f"store {epoch}: {other.id} follows {one.id}"
    for text, count in Counter(message.text for message in history.stored).items():
        if count > 1:
            yield f"{text}: stored {count} times"


def _acknowledgement_faults(history: History) -> Iterator[str]:
    stored = {(message.text, message.id) for message in history.stored}
    for text, number in history.acknowledged.items():
        if (text, number) not in stored:
            yield f"{text}: acknowledged as {number}, and not stored so"


def _order_faults(history: History) -> Iterator[str]:
    places = {message.text: place for place, message in enumerate(history.stored)}
    for texts in history.sent:
        for one, other in pairwise(text for text in texts if text in places):
            if places[one] > places[other]:
                yield f"{other}: sent after {one}, stored before it"


def _viewer_faults(history: History, viewer: Viewer) -> Iterator[str]:
    ids = {message.text: message.id for message in history.stored}
    unnumbered: set[int | None] = set()
    """The ids of messages that it saw before they had one."""
    last: int | None = None
    gap: Gap | None = None
    for item in viewer.seen:
        if isinstance(item, Gap):
            gap = item
            continue
        if item.id is None:
            unnumbered.add(ids.get(item.text))
            continue
        if ids.get(item.text) != item.id:
            yield f"saw {item.text} as {item.id}, stored as {ids.get(item.text)}"
        if last is not None:
            yield from _step_faults(last, item.id, gap, unnumbered)
        last, gap = item.id, None
    yield from _twice(viewer)
    yield from _end_faults(history, viewer, last)


def _step_faults(last: int, number: int, gap: Gap | None, unnumbered: set[int | None]) -> Iterator[str]:
    missing = [each for each in range(last + 1, number) if each not in unnumbered]
    if number <= last and not gap:
        yield f"saw {number} after {last}"
    elif missing and not gap:
        yield f"missed {missing[0]} to {missing[-1]}, and was not told"
    elif gap and gap.reason == "trimmed" and not missing:
        yield f"was told that messages before {number} are missing ({gap.reason}), and none is"


def _twice(viewer: Viewer) -> Iterator[str]:
    texts = [item.text for item in viewer.seen if isinstance(item, Message) and item.id is not None]
    for text, count in Counter(texts).items():
        if count > 1:
            yield f"saw {text} {count} times"


def _end_faults(history: History, viewer: Viewer, last: int | None) -> Iterator[str]:
    newest = next((store[-1].id for store in reversed(list(history.stores.values())) if store), None)
    if viewer.catches_up and last != newest:
        yield f"saw messages up to {last}, stored are those up to {newest}"
