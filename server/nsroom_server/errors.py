"""Errors of start-up, malformed packets, and refusals with their codes."""

from enum import StrEnum


class ServerError(Exception):
    """The server cannot start."""


class ConfigError(ServerError):
    """The configuration is wrong; nothing was opened."""


class ListenError(ServerError):
    """The address cannot be listened on."""


class AddressInUseError(ListenError):
    """Something else listens on the address."""


class BusError(ServerError):
    """Redis cannot be reached."""


class Malformed(ValueError):
    """A packet violates the protocol; the text is short and quotes nothing of it."""


class Code(StrEnum):
    """The `error` of a refusal."""

    BAD_REQUEST = "bad_request"
    BAD_ROOM = "bad_room"
    BUS_UNAVAILABLE = "bus_unavailable"
    DRAINING = "draining"
    HISTORY_UNAVAILABLE = "history_unavailable"
    INTERNAL_ERROR = "internal_error"
    LAB_ERROR = "lab_error"
    NO_ACKNOWLEDGEMENT = "no_acknowledgement"
    NOT_A_MEMBER = "not_a_member"
    RATE_LIMITED = "rate_limited"
    RESERVED_EVENT = "reserved_event"
    TOO_LARGE = "too_large"
    TOO_MANY_NAMESPACES = "too_many_namespaces"
    TOO_MANY_ROOMS = "too_many_rooms"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN_EVENT = "unknown_event"


class Refusal(Exception):
    """A request that is answered `{"error": code, "message": text}`."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def answer(self) -> dict[str, str]:
        """The acknowledgement's one argument."""
        return {"error": str(self.code), "message": str(self)}
