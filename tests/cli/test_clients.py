"""Short names for clients."""

from nsroom.clients import Clients
from nsroom.record import Direction, Kind, Record


def of(sid: str | None) -> Record:
    return Record(0, 1, Direction.IN, Kind.PING, sid=sid)


def test_numbers_in_the_order_of_coming() -> None:
    clients = Clients()
    assert [clients.label(of(sid)) for sid in ("b", "a", None, "b")] == ["#1", "#2", "", "#1"]


def test_who_was_silent_for_the_longest_loses_the_name() -> None:
    clients = Clients(most=2)
    assert [clients.label(of(sid)) for sid in "abacabb"] == ["#1", "#2", "#1", "#3", "#1", "#4", "#4"]
