"""Collect and decompress HTTP bodies, within a limit."""

import zlib
from dataclasses import dataclass, field

LIMIT = 16 * 2**20
"""Bytes, as for a WebSocket message. Larger bodies pass, but are not shown."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


@dataclass(slots=True)
class Collected:
    """The part of a body received so far."""

    limit: int = LIMIT
    size: int = 0
    data: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Add a part; beyond the limit, only count its size."""
        self.size += len(data)
        if self.size > self.limit:
            self.data = bytearray()
        else:
            self.data += data

    def decoded(self, encoding: str) -> bytes:
        """Return the body with its Content-Encoding removed. Raises: ValueError with the reason."""
        if self.size > self.limit:
            raise ValueError(f"it has {self.size} bytes")
        data = bytes(self.data)
        encoding = encoding.lower()
        if encoding in ("", "identity"):
            return data
        if encoding not in _WINDOWS:
            raise ValueError(f"it is compressed with {encoding:.40}")
        return self._inflated(data, _WINDOWS[encoding])

    def _inflated(self, data: bytes, window: int) -> bytes:
        inflate = zlib.decompressobj(window)
        try:
            plain = inflate.decompress(data, self.limit + 1)
        except zlib.error as error:
            raise ValueError(f"it cannot be decompressed ({error})") from None
        if len(plain) > self.limit:
            raise ValueError(f"it has more than {self.limit} bytes")
        return plain
