"""The mark in the record of an intercepted packet: which packet it is, and what happened to it. Pure."""

from enum import StrEnum

from nsroom.record import Json, Record


class State(StrEnum):
    """What happened to a packet."""

    WAITING = "waiting"
    BEHIND = "behind"
    """Waits only because an earlier packet does."""
    FORWARDED = "forwarded"
    EDITED = "edited"
    DROPPED = "dropped"
    SENT = "sent"
    """A packet of the user's own."""
    ANSWER = "answer"
    """An acknowledgement of such a packet, which was not passed on."""


_PENDING = (State.WAITING, State.BEHIND)


class Mark(dict[str, Json]):
    """The state of a packet, in its record's data. A type of its own: a server can send any object."""


def mark_of(record: Record) -> Mark | None:
    """Return the mark in a record, or None if the packet was passed on at once."""
    mark = record.data.get("intercept") if isinstance(record.data, dict) else None
    return mark if isinstance(mark, Mark) else None


def is_pending(record: Record) -> bool:
    """Return whether the record is of a packet that was not passed on yet."""
    mark = mark_of(record)
    return mark is not None and mark["state"] in _PENDING


def marked(record: Record, mark: Mark) -> Record:
    """Return a record with the mark in its data."""
    data = record.data if isinstance(record.data, dict) or record.data is None else {"payload": record.data}
    return record._replace(data={**(data or {}), "intercept": mark})
