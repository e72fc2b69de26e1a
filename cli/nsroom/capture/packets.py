"""Find the TCP segment in a captured packet: link layer, IPv4 or IPv6, TCP. Pure; checksums are ignored.

The link types: https://www.tcpdump.org/linktypes.html
"""

from collections.abc import Callable
from enum import StrEnum
from ipaddress import ip_address
from struct import Struct
from typing import NamedTuple

from nsroom.capture.files import Packet

FIN, SYN, RST, ACK = 1, 2, 4, 16
_TCP, _FRAGMENT = 6, 44
_AUTHENTICATION = 51
_EXTENSIONS = frozenset((0, 43, 60, _AUTHENTICATION, _FRAGMENT))
"""IPv6 extension headers, with hop-by-hop options, routing and destination options."""
_VLAN = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_IP = (b"\x08\x00", b"\x86\xdd")
_HEADER = Struct(">HHIIBB")


class Unread(StrEnum):
    """Why a packet that may be of interest is not read."""

    FRAGMENT = "parts of IP packets, which are not put together"
    TRUNCATED = "packets cut off within their headers"
    LINK = "packets of an unknown link type"


class Segment(NamedTuple):
    """A TCP segment; an endpoint is its address and port, as in the packet."""

    source: bytes
    destination: bytes
    sequence: int
    acknowledged: int
    """The next number expected from the other side, if `flags` has ACK."""
    flags: int
    data: bytes
    missing: int
    """Bytes at its end that were not captured."""


def parse(packet: Packet) -> Segment | Unread | None:
    """Return the segment of a packet, why it cannot be read, or None if it is not TCP."""
    find = _LINKS.get(packet.link)
    if find is None:
        return Unread.LINK
    data = packet.data
    at = find(data)
    if at is None or at >= len(data):
        return None
    version = data[at] >> 4
    if version == 4:
        return _ipv4(packet, at)
    return _ipv6(packet, at) if version == 6 else None


def name(endpoint: bytes) -> str:
    """Return an endpoint as `127.0.0.1:3000` or `[::1]:3000`."""
    address, port = ip_address(endpoint[:-2]), int.from_bytes(endpoint[-2:], "big")
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def _ethernet(data: bytes) -> int | None:
    return _after_vlans(data, 12)


def _cooked(data: bytes) -> int | None:
    return _after_vlans(data, 14)


def _cooked_2(data: bytes) -> int | None:
    return _after_vlans(data, 22) if data[:2] in _VLAN else 20 if data[:2] in _IP else None


def _after_vlans(data: bytes, at: int) -> int | None:
    """Return the start of the IP header after a type at `at` and any VLAN tags, or None if it is not IP."""
    while (kind := data[at : at + 2]) in _VLAN:
        at += 4
    return at + 2 if kind in _IP else None


def _loopback(_: bytes) -> int:
    return 4  # the address family differs between systems; the IP header has its version


def _raw(_: bytes) -> int:
    return 0


_LINKS: dict[int, Callable[[bytes], int | None]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked_2,
}


def _ipv4(packet: Packet, at: int) -> Segment | Unread | None:
    data = packet.data
    if len(data) < at + 20:
        return Unread.TRUNCATED
    if data[at + 9] != _TCP:
        return None
    if data[at + 6] & 0x3F or data[at + 7]:
        return Unread.FRAGMENT
    size = data[at + 2] << 8 | data[at + 3]
    start = at + (data[at] & 15) * 4
    return _tcp(packet, data[at + 12 : at + 16], data[at + 16 : at + 20], start, at + size if size else 0)


def _ipv6(packet: Packet, at: int) -> Segment | Unread | None:
    data = packet.data
    if len(data) < at + 40:
        return Unread.TRUNCATED
    kind, start = data[at + 6], at + 40
    size = data[at + 4] << 8 | data[at + 5]
    while kind in _EXTENSIONS:
        header = data[start : start + 8]
        if len(header) < 8:
            return Unread.TRUNCATED
        if kind == _FRAGMENT and (header[2] or header[3] & 0xF9):
            return Unread.FRAGMENT if header[0] == _TCP else None
        start += _extension_size(kind, header[1])
        kind = header[0]
    if kind != _TCP:
        return None
    return _tcp(packet, data[at + 8 : at + 24], data[at + 24 : at + 40], start, at + 40 + size if size else 0)


def _extension_size(kind: int, length: int) -> int:
    if kind == _FRAGMENT:
        return 8
    return (length + 2) * 4 if kind == _AUTHENTICATION else (length + 1) * 8


def _tcp(packet: Packet, source: bytes, destination: bytes, at: int, end: int) -> Segment | Unread | None:
    """Return the segment at `at`; `end` is that of its packet, or 0 if it is larger than 64 KiB."""
    data = packet.data
    if len(data) < at + 14:
        return Unread.TRUNCATED
    _, _, sequence, acknowledged, offset, flags = _HEADER.unpack_from(data, at)
    start = at + (offset >> 4) * 4
    end = end or packet.size
    if offset < 0x50 or end < start:
        return None
    payload = data[start:end]
    return Segment(
        source + data[at : at + 2],
        destination + data[at + 2 : at + 4],
        sequence,
        acknowledged,
        flags,
        payload,
        end - start - len(payload),
    )
