"""Write network captures: TCP connections as packets, and packets as files."""

from collections.abc import Iterable
from ipaddress import ip_address
from struct import pack

from nsroom.capture.packets import ACK, FIN, RST, SYN

CLIENT, SERVER = 0, 1
START = 1_800_000_000_000_000
"""The time of the first packet, in microseconds."""
Packet = tuple[int, bytes]
"""Time and data."""


def tcp(ports: tuple[int, int], numbers: tuple[int, int], flags: int, data: bytes = b"") -> bytes:
    """Return a TCP segment with these sequence and acknowledgement numbers."""
    sequence, acknowledged = (number % 2**32 for number in numbers)
    return pack(">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 65535, 0, 0) + data


def ipv4(addresses: tuple[str, str], payload: bytes, fragment: int = 0, protocol: int = 6) -> bytes:
    """Return an IPv4 packet; `fragment` is its field of flags and offset."""
    source, destination = (ip_address(address).packed for address in addresses)
    head = pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, fragment, 64, protocol, 0)
    return head + source + destination + payload


def ipv6(addresses: tuple[str, str], payload: bytes, kind: int = 6) -> bytes:
    """Return an IPv6 packet whose first header after its own has this kind."""
    source, destination = (ip_address(address).packed for address in addresses)
    return pack(">IHBB", 6 << 28, len(payload), kind, 64) + source + destination + payload


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    """Return an Ethernet frame, with VLAN tags."""
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + tags + kind + packet


def pcap(
    packets: Iterable[Packet], link: int = 101, order: str = "<", nano: bool = False, snap: int = 262144
) -> bytes:
    """Return a pcap file, whose packets are cut after `snap` bytes."""
    magic, factor = (0xA1B23C4D, 1000) if nano else (0xA1B2C3D4, 1)
    data = bytearray(pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link))
    for time, packet in packets:
        seconds, micros = divmod(time, 1_000_000)
        kept = packet[:snap]
        data += pack(f"{order}IIII", seconds, micros * factor, len(kept), len(packet)) + kept
    return bytes(data)


def block(order: str, kind: int, body: bytes) -> bytes:
    """Return a pcapng block."""
    body += bytes(-len(body) % 4)
    size = pack(f"{order}I", len(body) + 12)
    return pack(f"{order}I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    """Return the block that starts a section."""
    return block(order, 0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link: int = 101, order: str = "<", options: bytes = b"") -> bytes:
    """Return the block that describes an interface."""
    return block(order, 1, pack(f"{order}HHI", link, 0, 0) + options)


def enhanced(packet: Packet, number: int = 0, order: str = "<", ticks: int = 1) -> bytes:
    """Return a packet's block; its time is in `ticks` per microsecond."""
    time, data = packet
    high, low = divmod(time * ticks, 2**32)
    return block(order, 6, pack(f"{order}IIIII", number, high, low, len(data), len(data)) + data)


def pcapng(packets: Iterable[Packet], link: int = 101, order: str = "<") -> bytes:
    """Return a pcapng file of one interface."""
    blocks = (enhanced(packet, order=order) for packet in packets)
    return section(order) + interface(link, order) + b"".join(blocks)


class Talk:
    """The packets of one TCP connection, a millisecond apart."""

    def __init__(
        self,
        port: int = 50_000,
        addresses: tuple[str, str] = ("10.0.0.1", "10.0.0.2"),
        first: int = 1000,
        at: int = START,
    ) -> None:
        """`first` is the first sequence number of both sides."""
        self.packets: list[Packet] = []
        self.at = at
        self._addresses = addresses
        self._ports = (port, 3000)
        self._next = [first, first]

    def connect(self) -> None:
        """Open the connection."""
        self._send(CLIENT, SYN)
        self._send(SERVER, SYN | ACK)
        self._send(CLIENT, ACK)

    def send(self, side: int, data: bytes, size: int = 1400) -> None:
        """Send data in segments of this size; the other side acknowledges the last."""
        for at in range(0, len(data), size):
            self._send(side, ACK, data[at : at + size])
        self._send(1 - side, ACK)

    def close(self, first: int = CLIENT) -> None:
        """Close both sides."""
        self._send(first, FIN | ACK)
        self._send(1 - first, FIN | ACK)
        self._send(first, ACK)

    def reset(self, side: int) -> None:
        """Reset the connection."""
        self._send(side, RST | ACK)

    def _send(self, side: int, flags: int, data: bytes = b"") -> None:
        own, other = self._next[side], self._next[1 - side]
        ports, addresses = self._ports, self._addresses
        if side == SERVER:
            ports, addresses = ports[::-1], addresses[::-1]
        segment = tcp(ports, (own, other if flags & ACK else 0), flags, data)
        write = ipv6 if ":" in addresses[0] else ipv4
        self.packets.append((self.at, write(addresses, segment)))
        self.at += 1000
        self._next[side] += len(data) + bool(flags & (SYN | FIN))
