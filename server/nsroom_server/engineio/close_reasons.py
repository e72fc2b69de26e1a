"""Why sessions end, and what their clients see of it."""

from dataclasses import dataclass

from nsroom_server.engineio.packets import Kind


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a session ends, and what its client sees of that."""

    reason: str
    """As Node's socket.io names it."""
    code: int = 1000
    """Of the WebSocket."""
    last: Kind = Kind.CLOSE
    """What answers a waiting poll."""
    grace: float = 5.0
    """Seconds for the closing handshake."""
    flush: bool = True
    """Whether what waits is sent before."""


CLIENT = Ending("client disconnect", last=Kind.NOOP)
SERVER = Ending("server disconnect")
TIMEOUT = Ending("ping timeout", 1001)
LOST = Ending("transport close", grace=0.05)
ERROR = Ending("transport error", 1002, grace=0.05)
MALFORMED = Ending("parse error", 1002, grace=0.05)
ABSENT = Ending("connect timeout", 1008)
RESTART = Ending("server shutting down", 1012, last=Kind.NOOP, grace=3600)
"""A CLOSE packet would tell some clients not to come back; the server bounds the handshake."""
SLOW = Ending("slow reader", 4008, grace=10, flush=False)
