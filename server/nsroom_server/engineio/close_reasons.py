"""Why a session ended."""

from dataclasses import dataclass

from nsroom_server.engineio.packets import PacketType


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why a session is closed, and how."""

    text: str
    """The name that Node's socket.io uses."""
    code: int = 1000
    """The close code of the WebSocket."""
    poll_packet: PacketType = PacketType.CLOSE
    """The packet that answers a pending poll."""
    close_timeout: float = 5.0
    """Seconds for the closing handshake."""
    flush: bool = True
    """Whether queued packets are sent first."""


CLIENT_DISCONNECT = CloseReason("client disconnect", poll_packet=PacketType.NOOP)
SERVER_DISCONNECT = CloseReason("server disconnect")
PING_TIMEOUT = CloseReason("ping timeout", 1001)
TRANSPORT_CLOSE = CloseReason("transport close", close_timeout=0.05)
TRANSPORT_ERROR = CloseReason("transport error", 1002, close_timeout=0.05)
PARSE_ERROR = CloseReason("parse error", 1002, close_timeout=0.05)
CONNECT_TIMEOUT = CloseReason("connect timeout", 1008)
SHUTTING_DOWN = CloseReason("server shutting down", 1012, poll_packet=PacketType.NOOP, close_timeout=3600)
"""No CLOSE packet: it tells some clients not to reconnect. The server bounds the closing handshake."""
SLOW_READER = CloseReason("slow reader", 4008, close_timeout=10, flush=False)
