"""The packets of capture files, whatever the pieces in which their bytes arrive."""

import contextlib
import itertools
from struct import pack

import pytest

from nsroom.capture.files import CaptureError, Packet, Reader
from tests.cli.capture.wire import START, block, enhanced, interface, pcap, pcapng, section

PACKETS = [(START, b"one"), (START + 1, b""), (START + 2_000_001, b"three!!")]
EXPECTED = [Packet(time, 101, data, len(data)) for time, data in PACKETS]


def read(*pieces: bytes) -> list[Packet]:
    reader = Reader()
    found = [packet for piece in pieces for packet in reader.feed(piece)]
    reader.end()
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap(order: str, nano: bool) -> None:
    assert read(pcap(PACKETS, order=order, nano=nano)) == EXPECTED


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str) -> None:
    assert read(pcapng(PACKETS, order=order)) == EXPECTED


@pytest.mark.parametrize("data", [pcap(PACKETS), pcapng(PACKETS)], ids=["pcap", "pcapng"])
def test_pieces_of_a_file(data: bytes) -> None:
    assert read(*(bytes([byte]) for byte in data)) == EXPECTED
    for cut in range(len(data)):
        assert read(data[:cut], data[cut:]) == EXPECTED


@pytest.mark.parametrize("data", [pcap(PACKETS), pcapng(PACKETS)], ids=["pcap", "pcapng"])
def test_a_file_that_is_cut_off_has_the_packets_before_and_says_so(data: bytes) -> None:
    ends = []
    for cut in range(len(data)):
        reader = Reader()
        found = list(reader.feed(data[:cut]))
        assert found == EXPECTED[: len(found)]
        with contextlib.suppress(CaptureError):
            reader.end()
            ends.append(len(found))
            continue
        with pytest.raises(CaptureError, match=f"cut off at byte {cut}, after {len(found)} packets"):
            reader.end()
    assert sorted({*ends, 3}) == [0, 1, 2, 3]


def test_packets_that_were_cut_when_captured() -> None:
    assert read(pcap(PACKETS, snap=2))[2] == Packet(START + 2_000_001, 101, b"th", 7)


def test_sections_with_other_byte_orders_and_interfaces() -> None:
    big = section(">") + interface(113, ">") + interface(276, ">") + enhanced(PACKETS[0], 1, ">")
    unknown = block(">", 0x0BAD, bytes(5000))
    assert read(pcapng(PACKETS[:1]) + big + unknown) == [EXPECTED[0], EXPECTED[0]._replace(link=276)]


@pytest.mark.parametrize(
    ("power", "ticks"), [(b"\x06", 1), (b"\x09", 1000), (b"\x94", 2**20 / 1e6)], ids=["µs", "ns", "2^-20 s"]
)
def test_resolutions_and_offsets_of_time(power: bytes, ticks: float) -> None:
    options = pack("<HH", 9, 1) + power + bytes(3) + pack("<HHq", 14, 8, 3600) + bytes(4)
    time = 1_000_000
    stamp = pack("<IIIII", 0, 0, int(time * ticks), 0, 0)
    (packet,) = read(section() + interface(options=options) + block("<", 6, stamp))
    assert abs(packet.time - (time + 3_600_000_000)) <= 1


def test_older_and_simple_packets() -> None:
    simple = block("<", 3, pack("<I", 9) + b"ninebytes")
    older = block("<", 2, pack("<HHIIII", 0, 0, 0, 7, 3, 3) + b"old")
    assert read(section() + interface() + older + simple) == [
        Packet(7, 101, b"old", 3),
        Packet(7, 101, b"ninebytes", 9),
    ]


def test_times_beyond_the_calendar() -> None:
    (packet,) = read(section() + interface() + block("<", 6, pack("<IIIII", 0, 2**32 - 1, 0, 0, 0)))
    assert packet.time == 253_402_300_799_999_999


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF8" + bytes(20), "byte 0: neither pcap nor pcapng"),
        (pcap([]).replace(b"\x02\0\4\0", b"\x03\0\4\0"), "version 3 of pcap"),
        (pcap([]) + pack("<IIII", 0, 0, 2**31, 0), "byte 24: a packet of 2,147,483,648 bytes"),
        (section()[:8] + b"xxxx" + section()[12:], "a section without a byte order"),
        (section() + pack("<II", 6, 13) + bytes(20), "byte 28: a block of 13 bytes"),
        (section() + pack("<II", 6, 2**30) + bytes(20), "a block of 1,073,741,824 bytes"),
        (section() + enhanced(PACKETS[0]), "a packet of interface 0, which is not described"),
        (section() + block("<", 3, bytes(4)), "a packet without an interface"),
        (section() + block("<", 1, bytes(4)), "an interface without a description"),
        (section() + interface() + block("<", 6, bytes(4)), "a packet without a header"),
        (
            section() + interface() + block("<", 6, pack("<IIIII", 0, 0, 0, 99, 99)),
            "a packet of 99 bytes in a smaller block",
        ),
        (section() + interface()[:-4] + bytes(4), "a block's two lengths differ"),
    ],
)
def test_a_damaged_file(data: bytes, reason: str) -> None:
    with pytest.raises(CaptureError, match="the capture is damaged at byte") as raised:
        read(data)
    assert reason in str(raised.value)


def test_interfaces_are_limited() -> None:
    with pytest.raises(CaptureError, match="too many"):
        read(section() + b"".join(itertools.repeat(interface(), 10_001)))
