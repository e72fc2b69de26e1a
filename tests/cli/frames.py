"""WebSocket frames, written by hand."""

from nsroom.protocol.websocket import unmask

MASK = b"\x01\x02\x03\x04"


def frame(opcode: int, data: bytes, final: bool = True, mask: bytes = b"", compressed: bool = False) -> bytes:
    """Write one frame."""
    size = len(data)
    first = opcode | (0x80 if final else 0) | (0x40 if compressed else 0)
    short = size if size < 126 else 126 if size < 65536 else 127
    length = b"" if size < 126 else size.to_bytes(2 if size < 65536 else 8, "big")
    body = unmask(data, mask) if mask else data
    return bytes([first, short | (0x80 if mask else 0)]) + length + mask + body
