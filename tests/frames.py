"""WebSocket frames, valid and malformed, encoded without the code under test. RFC 6455, section 5.2."""

MASK = b"\x01\x02\x03\x04"


def frame(opcode: int, data: bytes, final: bool = True, mask: bytes = b"", compressed: bool = False) -> bytes:
    """Return one frame."""
    return _frame(opcode | (0x80 if final else 0) | (0x40 if compressed else 0), data, mask)


def masked(packet: str | bytes, first: int | None = None) -> bytes:
    """Return a client's frame with one whole packet and a mask of zeros; `first` replaces its first byte."""
    if isinstance(packet, str):
        return _frame(0x81 if first is None else first, packet.encode(), bytes(4))
    return _frame(0x82 if first is None else first, packet, bytes(4))


def _frame(first: int, data: bytes, mask: bytes) -> bytes:
    size = len(data)
    short = size if size < 126 else 126 if size < 65536 else 127
    length = b"" if size < 126 else size.to_bytes(2 if size < 65536 else 8, "big")
    return bytes([first, short | (0x80 if mask else 0)]) + length + mask + _masked(data, mask)


def _masked(data: bytes, mask: bytes) -> bytes:
    if not any(mask):
        return data
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
