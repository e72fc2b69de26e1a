"""The filters that the display options make."""

import pytest

from nsroom.cli.display_options import WatchOptions
from nsroom.cli.relay_options import RelayOptions
from nsroom.errors import UsageError
from nsroom.record import Direction, Kind, Record


def record(direction: Direction, kind: Kind, event: str | None = None) -> Record:
    return Record(0, 1, direction, kind, "/", None, event, [])


RECEIVED = record(Direction.IN, Kind.EVENT, "hi")
SENT = record(Direction.OUT, Kind.EVENT, "hi")
ACK = record(Direction.IN, Kind.ACK, "hi")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (WatchOptions(), [RECEIVED]),
        (WatchOptions(where="event=hi"), [RECEIVED]),
        (WatchOptions(where="event=other"), []),
        (WatchOptions(all=True), [RECEIVED, SENT, ACK]),
        (WatchOptions(all=True, where="event=hi & dir=out"), [SENT]),
        (WatchOptions(where="dir=out"), [SENT]),
        (WatchOptions(where="kind=ack"), [ACK]),
        (WatchOptions(where="!kind=ack"), [RECEIVED, SENT]),
    ],
)
def test_received_events_are_shown_unless_options_ask_for_more(
    options: WatchOptions, kept: list[Record]
) -> None:
    keep = options.keep()
    assert [each for each in (RECEIVED, SENT, ACK) if keep is None or keep(each)] == kept


def test_a_bad_filter_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        WatchOptions(where="event=").keep()


PING = record(Direction.OUT, Kind.PING)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (RelayOptions(), [RECEIVED, SENT, ACK]),
        (RelayOptions(all=True), [RECEIVED, SENT, ACK, PING]),
        (RelayOptions(where="kind=ping"), [PING]),
        (RelayOptions(where="event=hi"), [RECEIVED, SENT, ACK]),
    ],
)
def test_relayed_heartbeats_are_shown_only_if_asked_for(options: RelayOptions, kept: list[Record]) -> None:
    keep = options.keep()
    assert [each for each in (RECEIVED, SENT, ACK, PING) if keep is None or keep(each)] == kept
