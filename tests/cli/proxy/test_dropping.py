"""Dropping messages from one direction: the bytes passed on, held back and removed."""

from collections.abc import Callable, Iterable

from nsroom.protocol.websocket import MAX_MESSAGE, Message, Reader
from nsroom.proxy.dropping import DROPPED, Cutter
from nsroom.record import Direction, Kind, Record
from tests.frames import frame

Pieces = list[tuple[bytes, list[Record]]]


def record(event: str) -> Record:
    return Record(0, 1, Direction.IN, Kind.EVENT, event=event)


def is_lost(record: Record) -> bool:
    return record.event == "lost"


def cut(cutter: Cutter, reader: Reader, data: bytes, is_incomplete: Callable[[], bool] = bool) -> Pieces:
    """Cut data whose text messages are the names of events."""

    def messages() -> Iterable[tuple[Message | None, list[Record]]]:
        for message in reader.feed(data):
            yield message, [record(str(message.data))] if isinstance(message.data, str) else []

    return cutter.cut(data, messages(), is_incomplete)


def test_dropped_messages_are_recorded_without_their_bytes() -> None:
    kept, lost = frame(1, b"kept"), frame(1, b"lost")
    pieces = cut(Cutter(is_lost), Reader(), kept + lost + kept)
    assert [(data, records[0].event, records[0].reason) for data, records in pieces] == [
        (kept, "kept", None),
        (b"", "lost", DROPPED),
        (kept, "kept", None),
    ]


def test_incomplete_messages_are_held_back() -> None:
    cutter, reader, kept = Cutter(is_lost), Reader(), frame(1, b"kept")
    assert cut(cutter, reader, kept[:3]) == []
    assert [data for data, _ in cut(cutter, reader, kept[3:] + b"\x81")] == [kept]
    assert cutter.end() == b"\x81"
    assert cutter.end() == b""


def test_a_packet_is_held_back_until_its_attachments_arrive() -> None:
    cutter, reader = Cutter(is_lost), Reader()
    header, attachment = frame(1, b"header"), frame(1, b"lost")
    assert cut(cutter, reader, header, lambda: True) == []
    ((data, records),) = cut(cutter, reader, attachment)
    assert (data, [each.reason for each in records]) == (b"", [DROPPED])


def test_control_frames_within_a_dropped_packet_are_kept() -> None:
    cutter, reader = Cutter(is_lost), Reader()
    assert cut(cutter, reader, frame(1, b"header") + frame(9, b"ping"), lambda: True) == []
    ((data, _),) = cut(cutter, reader, frame(1, b"lost"))
    assert data == frame(9, b"ping")


def test_fragmented_messages_are_not_dropped() -> None:
    data = frame(1, b"lo", final=False) + frame(0, b"st")
    ((passed, records),) = cut(Cutter(is_lost), Reader(), data)
    assert (passed, records[0].event, records[0].reason) == (data, "lost", None)


def test_data_that_is_not_a_message_passes() -> None:
    assert Cutter(is_lost).cut(b"\xff\xff", [(None, [])], bool) == [(b"\xff\xff", [])]


def test_no_more_than_the_largest_message_is_held_back() -> None:
    cutter = Cutter(is_lost)
    assert cutter.cut(bytes(MAX_MESSAGE), [], bool) == []
    ((data, records),) = cutter.cut(b"x", [], bool)
    assert (len(data), records) == (MAX_MESSAGE + 1, [])
