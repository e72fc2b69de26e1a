"""Read the packets of a capture file while its bytes arrive: pcap and pcapng, in both byte orders. Pure.

The formats: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html and draft-ietf-opsawg-pcapng-02.
Written by hand: libraries read whole files or trust their lengths, and a capture may come from anywhere.
"""

from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from nsroom.errors import DataError

MAX_PACKET = 2**20
"""Bytes. libpcap stores up to 256 KiB of a packet."""
_MAX_INTERFACES = 10_000
_MAX_TIME = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""
_PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 1),
    b"\xd4\xc3\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1000),
}
"""Byte order, and fractions of a second per microsecond, by magic number."""
_PCAPNG = b"\x0a\x0d\x0d\x0a"
MAGICS = (*_PCAP, _PCAPNG)
"""The first four bytes of a capture."""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
"""Types of pcapng blocks; others are skipped."""
_READ = frozenset((_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET))
_RESOLUTION, _TIME_OFFSET = 9, 14
"""Options of an interface."""
_BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}


class CaptureError(DataError):
    """A capture that is damaged or cut off; the packets before that were read."""


class Packet(NamedTuple):
    """A captured packet."""

    time: int
    """Microseconds since the epoch."""
    link: int
    """The link type, which is that of its first header."""
    data: bytes
    size: int
    """Bytes on the wire; `data` may be shorter."""


class _Interface(NamedTuple):
    link: int
    snap_length: int
    resolution: int
    """Ticks per second."""
    offset: int
    """Seconds."""


class Reader:
    """Reads one file."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._base = 0
        """The position of the buffer in the file."""
        self._skip = 0
        """Bytes of a block that is not read."""
        self._count = 0
        self._read: Callable[[], Packet | None] = self._magic
        self._divisor = 1
        self._link = 0
        self._pcap_header = Struct("<IIII")
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._last_time = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are now complete. Raises: CaptureError."""
        self._base += self._at
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        while (packet := self._read()) is not None:
            self._count += 1
            yield packet

    def end(self) -> None:
        """Handle the end of the file. Raises: CaptureError if it is cut off."""
        if self._read == self._magic or self._at < len(self._buffer) or self._skip:
            size = self._base + len(self._buffer)
            raise CaptureError(f"the capture is cut off at byte {size:,}, after {self._count:,} packets")

    def _damaged(self, reason: str) -> CaptureError:
        return CaptureError(f"the capture is damaged at byte {self._base + self._at:,}: {reason}")

    def _magic(self) -> Packet | None:
        magic = self._buffer[:4]
        if len(magic) == 4 and magic == _PCAPNG:
            self._read = self._block
            return self._block()
        if len(self._buffer) < 24:
            return None
        if magic not in _PCAP:
            raise self._damaged("neither pcap nor pcapng")
        order, self._divisor = _PCAP[magic]
        major, _, link = Struct(f"{order}HH12xI").unpack_from(self._buffer, 4)
        if major != 2:
            raise self._damaged(f"version {major} of pcap; only 2 is known")
        self._link = link & 0xFFFF  # above it are the flags of Ethernet's checksum
        self._pcap_header = Struct(f"{order}IIII")
        self._at, self._read = 24, self._pcap
        return self._pcap()

    def _pcap(self) -> Packet | None:
        buffer, start = self._buffer, self._at + 16
        if len(buffer) < start:
            return None
        seconds, fraction, length, size = self._pcap_header.unpack_from(buffer, self._at)
        if length > MAX_PACKET:
            raise self._damaged(f"a packet of {length:,} bytes")
        if len(buffer) < start + length:
            return None
        self._at = start + length
        time = seconds * 1_000_000 + fraction // self._divisor
        return Packet(time, self._link, buffer[start : self._at], max(size, length))

    def _block(self) -> Packet | None:
        """Read blocks up to the next packet."""
        while self._skipped() and len(self._buffer) >= self._at + 12:
            kind, length = self._block_header()
            if kind not in _READ:
                self._skip = length
                continue
            if len(self._buffer) < self._at + length:
                return None
            start, stop = self._at + 8, self._at + length - 4
            if self._number("I", stop) != length:
                raise self._damaged("a block's two lengths differ")
            packet = self._packet(kind, start, stop)
            self._at = stop + 4
            if packet is not None:
                return packet
        return None

    def _skipped(self) -> bool:
        """Skip the rest of a block, as far as it is there; return whether that was all of it."""
        count = min(self._skip, len(self._buffer) - self._at)
        self._skip -= count
        self._at += count
        return not self._skip

    def _block_header(self) -> tuple[int, int]:
        if self._buffer[self._at : self._at + 4] == _PCAPNG:
            order = _BYTE_ORDERS.get(self._buffer[self._at + 8 : self._at + 12])
            if order is None:
                raise self._damaged("a section without a byte order")
            self._order, self._interfaces = order, []
        kind, length = self._number("I", self._at), self._number("I", self._at + 4)
        if length % 4 or length < 12 or (kind in _READ and length > MAX_PACKET + 4096):
            raise self._damaged(f"a block of {length:,} bytes")
        return kind, length

    def _number(self, kind: str, at: int) -> int:
        return int(Struct(self._order + kind).unpack_from(self._buffer, at)[0])

    def _packet(self, kind: int, start: int, stop: int) -> Packet | None:
        if kind == _INTERFACE:
            self._add_interface(start, stop)
        elif kind == _SIMPLE_PACKET:
            return self._simple_packet(start, stop)
        elif kind in (_PACKET, _OLD_PACKET):
            return self._timed_packet(kind, start, stop)
        return None

    def _add_interface(self, start: int, stop: int) -> None:
        if stop - start < 8 or len(self._interfaces) >= _MAX_INTERFACES:
            raise self._damaged("an interface without a description, or too many of them")
        link, snap_length = self._number("H", start), self._number("I", start + 4)
        options = self._options(start + 8, stop)
        power = options.get(_RESOLUTION, b"\6")[:1] or b"\6"
        resolution = 1 << (power[0] & 0x7F) if power[0] & 0x80 else 10 ** min(power[0], 38)
        offset = int.from_bytes(
            options.get(_TIME_OFFSET, b"")[:8], "big" if self._order == ">" else "little", signed=True
        )
        self._interfaces.append(_Interface(link, snap_length, resolution, offset))

    def _options(self, at: int, stop: int) -> dict[int, bytes]:
        options = {}
        while at + 4 <= stop and (kind := self._number("H", at)):
            length = self._number("H", at + 2)
            options[kind] = self._buffer[at + 4 : min(at + 4 + length, stop)]
            at += 4 + (length + 3) // 4 * 4
        return options

    def _simple_packet(self, start: int, stop: int) -> Packet:
        if stop - start < 4 or not self._interfaces:
            raise self._damaged("a packet without an interface")
        link, snap_length = self._interfaces[0][:2]
        size = self._number("I", start)
        length = min(size, snap_length or size, stop - start - 4)
        return Packet(self._last_time, link, self._buffer[start + 4 : start + 4 + length], size)

    def _timed_packet(self, kind: int, start: int, stop: int) -> Packet:
        if stop - start < 20:
            raise self._damaged("a packet without a header")
        # The older block has a 16-bit number, and the count of dropped packets after it.
        number, high, low, length, size = Struct(
            f"{self._order}{'IIIII' if kind == _PACKET else 'H2xIIII'}"
        ).unpack_from(self._buffer, start)
        if number >= len(self._interfaces):
            raise self._damaged(f"a packet of interface {number}, which is not described")
        if length > stop - start - 20:
            raise self._damaged(f"a packet of {length:,} bytes in a smaller block")
        interface = self._interfaces[number]
        time = (high << 32 | low) * 1_000_000 // interface.resolution + interface.offset * 1_000_000
        self._last_time = min(max(time, 0), _MAX_TIME)
        data = self._buffer[start + 20 : start + 20 + length]
        return Packet(self._last_time, interface.link, data, max(size, length))
