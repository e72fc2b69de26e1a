"""The limits of the codecs, each with its reason."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of one connection; the defaults suit an observer, who sees more than a server accepts."""

    frame: int = 100_000_000
    """Characters or bytes. Socket.IO v2 servers accept 100 MB unless told otherwise, later ones 1 MB."""
    packet: int = 100_000_000
    """Bytes of a packet with all its attachments, each as often as the packet names it."""
    packets: int = 1_000_000
    """Per polling body: the smallest is empty, and takes one byte."""
    attachments: int = 1000
    """Per packet. Servers on Node accept 10 unless told otherwise."""
    depth: int = 256
    """Nested lists and objects. The next reader of the data may recurse, and Python stops at 1000 calls."""
    values: int = 1_000_000
    """Per packet. An empty list takes three bytes on the wire, and seventy in memory."""
    id: int = 2**53 - 1
    """Number.MAX_SAFE_INTEGER: JavaScript rounds a larger one, and answers the wrong emit."""
    namespace: int = 1024
    """Characters. If the comma is missing, the whole payload is read as the name."""
    namespaces: int = 1000
    """Per connection."""


LIMITS = Limits()
LIST_LIMITS = LIMITS._replace(values=5_000_000)
"""Of packets that list the sockets of a server: one with 100,000 describes each in 25 to 40 values."""
