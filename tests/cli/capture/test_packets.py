"""TCP segments in packets of every kind of link."""

import pytest

from nsroom.capture import packets
from nsroom.capture.files import Packet
from nsroom.capture.packets import ACK, Segment, Unread
from tests.cli.capture.wire import ethernet, ipv4, ipv6, tcp

SEGMENT = tcp((50_000, 3000), (7, 9), ACK, b"data")
V4 = ipv4(("10.0.0.1", "10.0.0.2"), SEGMENT)
V6 = ipv6(("fe80::1", "::1"), SEGMENT)
VLAN, QINQ = b"\x81\0\0\x05", b"\x88\xa8\0\x01\x81\0\0\x05"


def parse(data: bytes, link: int = 101, size: int = 0) -> Segment | Unread | None:
    return packets.parse(Packet(0, link, data, max(size, len(data))))


@pytest.mark.parametrize("packet", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("link", "before"),
    [
        (0, b"\x02\0\0\0"),
        (0, b"\0\0\0\x1e"),
        (108, b"\0\0\0\x18"),
        (12, b""),
        (14, b""),
        (101, b""),
        (228, b""),
        (229, b""),
        (113, bytes(14) + b"%b"),
        (113, bytes(14) + VLAN + b"%b"),
        (276, b"%b" + bytes(18)),
        (276, b"\x81\0" + bytes(18) + b"\0\x05%b"),
        (1, bytes(12) + b"%b"),
        (1, bytes(12) + VLAN + b"%b"),
        (1, bytes(12) + QINQ + b"%b"),
    ],
)
def test_links(link: int, before: bytes, packet: bytes) -> None:
    kind = b"\x08\0" if packet is V4 else b"\x86\xdd"
    segment = parse((before % kind if b"%" in before else before) + packet, link)
    assert isinstance(segment, Segment)
    assert (segment.sequence, segment.acknowledged, segment.flags) == (7, 9, ACK)
    assert (segment.data, segment.missing) == (b"data", 0)
    ends = packets.name(segment.source), packets.name(segment.destination)
    assert ends == (
        ("10.0.0.1:50000", "10.0.0.2:3000") if packet is V4 else ("[fe80::1]:50000", "[::1]:3000")
    )


def test_padding_does_not_count_as_data() -> None:
    segment = parse(ethernet(V4) + bytes(6), 1)
    assert isinstance(segment, Segment)
    assert segment.data == b"data"


def test_a_packet_that_was_cut_when_captured() -> None:
    segment = parse(V4[:-3], size=len(V4))
    assert isinstance(segment, Segment)
    assert (segment.data, segment.missing) == (b"d", 3)
    assert parse(V4[:-20], size=len(V4)) is Unread.TRUNCATED
    assert parse(V4[:12], size=len(V4)) is Unread.TRUNCATED
    assert parse(V6[:39], size=len(V6)) is Unread.TRUNCATED


def test_packets_above_64_kib_have_no_length() -> None:
    large = ipv4(("10.0.0.1", "10.0.0.2"), SEGMENT)
    segment = parse(large[:2] + b"\0\0" + large[4:], size=len(large) + 100_000)
    assert isinstance(segment, Segment)
    assert segment.missing == 100_000


@pytest.mark.parametrize(
    "extension",
    [
        (0, b"\6\0" + bytes(6)),
        (60, b"\6\1" + bytes(14)),
        (43, b"\6\0" + bytes(6)),
        (51, b"\6\4" + bytes(22)),
        (44, b"\6\0\0\0" + bytes(4)),
    ],
)
def test_extension_headers(extension: tuple[int, bytes]) -> None:
    kind, header = extension
    segment = parse(ipv6(("::1", "::1"), header + SEGMENT, kind))
    assert isinstance(segment, Segment)
    assert segment.data == b"data"
    assert parse(ipv6(("::1", "::1"), header[:6], kind)) is Unread.TRUNCATED


def test_fragments_are_not_read() -> None:
    addresses = ("10.0.0.1", "10.0.0.2")
    assert parse(ipv4(addresses, SEGMENT, fragment=0x2000)) is Unread.FRAGMENT
    assert parse(ipv4(addresses, SEGMENT, fragment=0x0001)) is Unread.FRAGMENT
    assert isinstance(parse(ipv4(addresses, SEGMENT, fragment=0x4000)), Segment)
    assert parse(ipv4(addresses, SEGMENT, fragment=0x2000, protocol=17)) is None
    assert parse(ipv6(("::1", "::1"), b"\6\0\0\1" + bytes(4) + SEGMENT, 44)) is Unread.FRAGMENT


@pytest.mark.parametrize(
    ("data", "link"),
    [
        (b"", 101),
        (b"\x10", 101),
        (b"\x02\0", 0),
        (ipv4(("1.1.1.1", "1.1.1.1"), SEGMENT, protocol=17), 101),
        (ipv6(("::1", "::1"), SEGMENT, 17), 101),
        (bytes(12) + b"\x08\x06" + bytes(28), 1),
        (bytes(12) + VLAN, 1),
        (ipv4(("1.1.1.1", "1.1.1.1"), SEGMENT[:12] + b"\x40" + SEGMENT[13:]), 101),
        (ipv4(("1.1.1.1", "1.1.1.1"), SEGMENT[:12] + b"\xf0" + SEGMENT[13:]), 101),
    ],
)
def test_what_is_not_tcp(data: bytes, link: int) -> None:
    assert parse(data, link) is None


def test_an_unknown_link() -> None:
    assert parse(V4, 127) is Unread.LINK
