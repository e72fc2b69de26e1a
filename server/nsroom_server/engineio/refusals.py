"""Requests that Engine.IO refuses, with its codes."""

from enum import IntEnum

from aiohttp import web


class Fault(IntEnum):
    """Why a request is refused: Engine.IO's codes."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


_TEXTS = {
    Fault.UNKNOWN_TRANSPORT: "Transport unknown",
    Fault.UNKNOWN_SID: "Session ID unknown",
    Fault.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    Fault.BAD_REQUEST: "Bad request",
    Fault.FORBIDDEN: "Forbidden",
    Fault.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


class Refused(Exception):
    """A request that is answered `{"code": …, "message": …}`."""

    def __init__(self, fault: Fault, text: str | None = None, status: int = 400) -> None:
        super().__init__(text or _TEXTS[fault])
        self.fault = fault
        self.status = status

    @property
    def response(self) -> web.Response:
        """The answer."""
        return web.json_response({"code": int(self.fault), "message": str(self)}, status=self.status)
