"""Whole captures: a real one of `nsroom demo`, also reordered, repeated, lossy and cut; and written ones."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.capture import capture as module
from nsroom.capture.capture import Capture
from nsroom.capture.files import CaptureError, Reader
from nsroom.errors import DataError
from nsroom.output.recording import read
from nsroom.record import Direction, Kind, Record
from tests.cli.capture.test_dialogue import HANDSHAKE, SWITCHING, UPGRADE, answer, event, poll, text
from tests.cli.capture.wire import CLIENT, SERVER, START, Packet, Talk, ipv4, pcap, pcapng, tcp

HERE = Path(__file__).parent
DEMO = (HERE / "demo.pcap").read_bytes()
"""What `tcpdump -i lo -w demo.pcap` saw of the demo of which demo.ndjson is the transcript."""
PACKETS = [(packet.time, packet.data) for packet in Reader().feed(DEMO)]
ETHERNET = 1


class Trial:
    """A capture, its records, and what it said."""

    def __init__(self, data: bytes = b"", piece: int = 65_536) -> None:
        self.said: list[str] = []
        self.capture = Capture(self.said.append)
        self.records: list[Record] = []
        for at in range(0, len(data), piece):
            self.records += self.capture.feed(data[at : at + piece])

    def more(self, talk: Talk) -> list[Record]:
        """Read the packets of a connection; the first are the start of the file."""
        data = pcap(talk.packets)
        return list(self.capture.feed(data if not self.records else data[24:]))

    def end(self) -> list[Record]:
        self.records += self.capture.end()
        return self.records


def records_of(packets: Iterable[Packet], link: int = 101) -> list[Record]:
    return Trial(pcap(packets, link)).end()


def names(records: Iterable[Record]) -> list[Any]:
    return [record.event or str(record.kind) for record in records]


def session(port: int = 50_000, sid: bytes = b"eio", at: int = START, **options: Any) -> Talk:
    """Return a connection with a handshake over WebSocket."""
    talk = Talk(port, at=at, **options)
    talk.connect()
    talk.send(CLIENT, UPGRADE % (4, b""))
    talk.send(SERVER, SWITCHING % b"" + text(HANDSHAKE.replace(b"eio", sid)))
    return talk


def events(records: Iterable[Record]) -> dict[str | None, list[Any]]:
    """Return the events and acknowledgements of each session and direction, in their order."""
    found: dict[str | None, list[Any]] = {}
    for each in records:
        if each.kind in (Kind.EVENT, Kind.ACK):
            key = f"{each.sid} {each.direction}"
            found.setdefault(key, []).append((each.kind, each.namespace, each.id, each.event, each.args))
    return found


def missing(records: Iterable[Record]) -> set[str]:
    """Return the sessions and directions of which something is missing."""
    return {f"{each.sid} {each.data['direction']}" for each in records if each.kind is Kind.GAP}


WHOLE = events(Trial(DEMO).end())


def test_the_demo_is_as_in_its_transcript() -> None:
    with (HERE / "demo.ndjson").open("rb") as file:
        transcript = [record for _, record in read(file)]
    records = Trial(DEMO).end()
    assert not missing(records)
    mine = {(each.sid, each.event) for each in records if each.args == [{"room": "lobby", "nick": "me"}]}
    ((sid, _),) = mine
    fields = ("direction", "kind", "namespace", "event", "args", "id")

    def shown(records: Iterable[Record]) -> list[Any]:
        return [[getattr(each, name) for name in fields] for each in records]

    own = [each for each in records if each.sid == sid]
    assert shown(each for each in own if each.kind in (Kind.EVENT, Kind.ACK)) == shown(
        each for each in transcript if each.kind in (Kind.EVENT, Kind.ACK)
    )
    for one, other in zip(own, transcript, strict=False):
        assert abs(one.time - other.time) < 1_000_000


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_pieces_in_which_the_file_arrives(piece: int) -> None:
    assert Trial(DEMO, piece).end() == Trial(DEMO).end()


def test_pcapng_is_the_same() -> None:
    assert Trial(pcapng(PACKETS, ETHERNET)).end() == Trial(DEMO).end()


def test_records_appear_with_their_packet() -> None:
    talk = session()
    trial = Trial(pcap(talk.packets))
    assert names(trial.records) == ["open"]
    talk.packets.clear()
    talk.send(SERVER, text(event("now")))
    assert names(trial.capture.feed(pcap(talk.packets[:1])[24:])) == ["now"]


def test_cut_at_any_byte() -> None:
    expected = Trial(DEMO).records
    whole = [24 + sum(16 + len(data) for _, data in PACKETS[:count]) for count in range(len(PACKETS))]
    for cut in range(25, len(DEMO), 61):
        trial = Trial(DEMO[:cut])
        records = trial.records
        assert records == expected[: len(records)]
        assert _failure(trial).startswith(f"the capture is cut off at byte {cut:,}, after ") or cut in whole


def _failure(trial: Trial) -> str:
    try:
        trial.end()
    except DataError as error:
        return str(error)
    return ""


@given(st.integers(0, 2**32), st.floats(0, 0.2), st.floats(0, 0.3), st.integers(0, 12))
def test_reordered_repeated_and_lost(seed: int, lost: float, repeated: float, distance: int) -> None:
    rng = random.Random(seed)
    order = [
        (index + rng.randint(0, distance), packet)
        for index, packet in enumerate(PACKETS)
        if rng.random() >= lost
        for _ in range(1 + (rng.random() < repeated))
    ]
    data = [packet[1] for _, packet in sorted(order, key=lambda item: item[0])]
    packets = list(zip((time for time, _ in PACKETS for _ in range(2)), data, strict=False))
    try:
        records = records_of(packets, ETHERNET)
    except DataError:
        return
    _check(records)


@given(st.integers(0, len(PACKETS)), st.integers(0, len(PACKETS)))
def test_joined_and_left_anywhere(start: int, stop: int) -> None:
    try:
        records = records_of(PACKETS[start:stop], ETHERNET)
    except DataError:
        return
    if start == 0:
        assert not missing(records)
        for key, found in events(records).items():
            assert found == WHOLE[key][: len(found)]


@given(st.integers(60, 400))
def test_packets_cut_when_captured(snap: int) -> None:
    try:
        records = Trial(pcap(PACKETS, ETHERNET, snap=snap)).end()
    except DataError:
        assert snap < 200
        return
    _check(records)


def _check(records: list[Record]) -> None:
    """Check that events are those of the whole capture, or that a record says what is missing."""
    gaps = missing(records)
    unknown = any(key.startswith("127.") for key in gaps)  # joined late: the session has no sid
    found = events(records)
    assert not [each for each in records if each.kind is Kind.PROTOCOL_ERROR]
    for key, expected in WHOLE.items():
        mine = found.get(key, [])
        sid = str(key).split()[0]
        is_lossy = unknown or any(gap.startswith(sid) for gap in gaps)
        assert mine == expected or is_lossy or _is_silent(sid, records)
        left = iter(expected)
        assert all(_has(left, each) for each in mine)


def _is_silent(sid: str, records: list[Record]) -> bool:
    """Return whether nothing of a session was recognised: the packets of its handshake are missing."""
    return not any(record.sid == sid and record.kind is Kind.OPEN for record in records)


def _has(expected: Iterable[Any], item: Any) -> bool:
    """Return whether an event comes later in the whole capture; a missing event leaves its ack unnamed."""
    kind, namespace, id, event, args = item
    return any(
        each == item or (event is None and each == (kind, namespace, id, each[3], args)) for each in expected
    )


def test_the_two_directions_of_ipv6_with_a_wrap_of_numbers() -> None:
    talk = session(addresses=("::1", "::2"), first=2**32 - 100)
    talk.send(SERVER, text(event("a", 5000)))
    talk.send(CLIENT, text(b'421["b"]', CLIENT))
    talk.close()
    assert names(records_of(talk.packets)) == ["open", "a", "b", "close"]


def test_polling_and_websocket_are_one_session() -> None:
    first, second = Talk(1), Talk(2, at=START + 500_000)
    for talk in (first, second):
        talk.connect()
    first.send(CLIENT, poll(b""))
    first.send(SERVER, answer(HANDSHAKE))
    second.send(CLIENT, UPGRADE % (4, b"&sid=eio"))
    second.send(SERVER, SWITCHING % b"")
    second.send(CLIENT, text(b"5", CLIENT) + text(b'421["b"]', CLIENT))
    second.send(SERVER, text(b"431[]"))
    records = records_of(first.packets + second.packets)
    assert names(records) == ["open", "upgrade", "b", "b"]
    assert records[-1].rtt_ms == 2.0
    assert {record.sid for record in records} == {"eio"}


def test_a_port_that_is_used_again() -> None:
    one, other = session(sid=b"one", first=1000), session(sid=b"other", first=777_000, at=START + 10_000_000)
    one.send(SERVER, text(event("a")))
    one.close()
    other.send(SERVER, text(event("b")))
    records = records_of(one.packets + one.packets[-4:] + other.packets)
    assert [(each.sid, each.event) for each in records if each.kind is Kind.EVENT] == [
        ("one", "a"),
        ("other", "b"),
    ]
    assert not missing(records)


def test_a_hole_is_reported_while_the_connection_goes_on() -> None:
    talk = session()
    keep = len(talk.packets)
    talk.send(SERVER, text(event("lost")))
    del talk.packets[keep]
    for name in ("b", "c"):
        talk.at += 300_000
        talk.send(SERVER, text(event(name)))
    trial = Trial(pcap(talk.packets))
    assert names(trial.records) == ["open", "gap", "b", "c"]
    gap = trial.records[1]
    assert (gap.sid, gap.data) == ("eio", {"direction": Direction.IN, "bytes": len(text(event("lost")))})


def test_encrypted_traffic_is_said_once_and_alone_is_an_error() -> None:
    packets = []
    for port in (1, 2):
        talk = Talk(port)
        talk.connect()
        talk.send(CLIENT, b"\x16\x03\x01\x02\0" + bytes(100))
        talk.send(SERVER, b"\x16\x03\x03\x02\0" + bytes(100))
        packets += talk.packets
    trial = Trial(pcap(packets))
    with pytest.raises(DataError, match=r"no Engine.IO traffic in this capture \(14 packets\)"):
        trial.end()
    assert [line[:30] for line in trial.said] == ["the connection of 10.0.0.1:1 a"]


def test_what_is_not_read_is_said_at_the_end() -> None:
    talk = session()
    fragment = ipv4(("10.0.0.1", "10.0.0.2"), tcp((1, 2), (3, 4), 16, b"x"), fragment=0x2000)
    trial = Trial(pcap([*talk.packets, (START, fragment), (START, fragment)]))
    trial.end()
    assert trial.said == ["not read: parts of IP packets, which are not put together (2)"]


def test_a_snapshot_length_that_is_too_small_is_said_at_the_end() -> None:
    talk = session()
    talk.send(SERVER, text(event("a", 1000)))
    trial = Trial(pcap(talk.packets, snap=500))
    trial.end()
    assert trial.said == ["1 packets were cut off when they were captured: use tcpdump without -s"]


def test_a_damaged_file_has_the_records_before() -> None:
    trial = Trial(pcap(session().packets) + b"\xff" * 100)
    assert trial.capture.is_damaged
    assert names(trial.records) == ["open"]
    with pytest.raises(CaptureError, match="damaged at byte"):
        trial.end()


def test_connections_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 3)
    trial = Trial(pcap([packet for port in range(10) for packet in session(port).packets]))
    assert len(trial.capture._known) == 3
    assert names(trial.records) == ["open"] * 10


def test_idle_connections_are_forgotten() -> None:
    late = session(2, at=START + module.MAX_IDLE + 1_000_000)
    trial = Trial(pcap(session(1).packets + late.packets))
    assert len(trial.capture._known) == 1


def test_what_waits_in_all_connections_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 5000)
    packets = []
    for port in range(5):
        talk = session(port)
        talk.send(SERVER, b"x" * 3000)
        packets += talk.packets[:5] + talk.packets[6:]
    trial = Trial(pcap([(START, data) for _, data in packets]))
    assert trial.capture._waiting_size <= 5000


def test_what_is_incomplete_in_all_connections_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 200_000)
    monkeypatch.setattr(module, "_STEP", 10_000)
    trial = Trial()
    for port in range(20):
        talk = session(port, sid=b"%d" % port, at=START + port * 1_000_000)
        talk.send(SERVER, text(event("big", 100_000))[:30_000])
        trial.records += trial.more(talk)
        assert sum(known.dialogue.held for known in trial.capture._known.values()) <= 250_000
    gaps = [record for record in trial.records if record.kind is Kind.GAP]
    assert {record.reason for record in gaps} == {"discarded"}
