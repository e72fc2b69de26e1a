"""Engine.IO error responses."""

from collections.abc import Mapping
from enum import IntEnum

from aiohttp import web


class ErrorCode(IntEnum):
    """Engine.IO's error codes."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


_TEXTS = {
    ErrorCode.UNKNOWN_TRANSPORT: "Transport unknown",
    ErrorCode.UNKNOWN_SID: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


class RequestError(Exception):
    """A request that is answered `{"code": …, "message": …}`."""

    def __init__(
        self,
        code: ErrorCode,
        text: str | None = None,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text or _TEXTS[code])
        self.code = code
        self.status = status
        self.headers = headers

    @property
    def response(self) -> web.Response:
        """The response."""
        body = {"code": int(self.code), "message": str(self)}
        return web.json_response(body, status=self.status, headers=self.headers)
