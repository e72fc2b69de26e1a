"""Bodies of HTTP messages, collected and decoded up to a bound."""

import zlib
from dataclasses import dataclass, field

LIMIT = 16 * 2**20
"""Bytes of one body that are looked at, as of a WebSocket's message."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


@dataclass(slots=True)
class Collected:
    """What came of a body so far."""

    limit: int = LIMIT
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def add(self, data: bytes) -> None:
        """Take a part; beyond the limit only its size."""
        self.size += len(data)
        if self.size > self.limit:
            self.parts.clear()
        elif data:
            self.parts.append(data)

    def decoded(self, encoding: str) -> bytes:
        """Give the body without its Content-Encoding. Raises: ValueError that says why that cannot be."""
        if self.size > self.limit:
            raise ValueError(f"it has {self.size} bytes")
        data = b"".join(self.parts)
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
