"""Why a session ended."""

from dataclasses import dataclass

from nsroom_server.engineio.packets import Kind


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why a session is closed, and how."""

    reason: str
    """The name that Node's socket.io uses."""
    code: int = 1000
    """The close code of the WebSocket."""
    last: Kind = Kind.CLOSE
    """The packet that answers a pending poll."""
    grace: float = 5.0
    """Seconds for the closing handshake."""
    flush: bool = True
    """Whether queued packets are sent first."""


CLIENT = CloseReason("client disconnect", last=Kind.NOOP)
SERVER = CloseReason("server disconnect")
TIMEOUT = CloseReason("ping timeout", 1001)
LOST = CloseReason("transport close", grace=0.05)
ERROR = CloseReason("transport error", 1002, grace=0.05)
MALFORMED = CloseReason("parse error", 1002, grace=0.05)
ABSENT = CloseReason("connect timeout", 1008)
RESTART = CloseReason("server shutting down", 1012, last=Kind.NOOP, grace=3600)
"""No CLOSE packet: it tells some clients not to reconnect. The server bounds the closing handshake."""
SLOW = CloseReason("slow reader", 4008, grace=10, flush=False)
