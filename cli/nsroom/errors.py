"""The errors that a user can see, each with its exit code."""

from enum import IntEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class ExitCode(IntEnum):
    """The stable exit codes. A signal's code is 128 plus its number."""

    OK = 0
    NO = 1
    USAGE = 2
    CONNECT = 3
    REFUSED = 4
    TIMEOUT = 5
    LOST = 6
    NACK = 7
    DATA = 8
    LIMIT = 9
    OUTPUT = 10
    BUG = 70
    UNDELIVERED = 75
    SIGINT = 130
    SIGPIPE = 141
    SIGTERM = 143


class NsroomError(Exception):
    """A failure that `main` turns into one line on stderr and an exit code.

    The text names the problem, the cause and the cure, in lower case and on one line. Below it come lines to
    paste, such as the command line that was probably meant.
    """

    code = ExitCode.BUG

    def __init__(self, text: str = "", *lines: str) -> None:
        super().__init__(text)
        self.lines = lines

    def also(self, later: "NsroomError") -> Self:
        """Return an error of this kind for two ways that failed, with the text of both."""
        return type(self)(f"{self}; {later}", *self.lines, *later.lines)


class UsageError(NsroomError):
    """Bad arguments; nothing was sent."""

    code = ExitCode.USAGE


class ScriptError(UsageError):
    """An error in a line of a script: `FILE:LINE:COLUMN: reason`, for an offset in the line."""

    def __init__(self, file: "Path", number: int, start: int, reason: str) -> None:
        super().__init__(f"{file}:{number}:{start + 1}: {reason}")


class ConnectError(NsroomError):
    """The connection failed: DNS, TCP, TLS, HTTP status, time-out, not Socket.IO, version mismatch."""

    code = ExitCode.CONNECT


class NotSocketIOError(ConnectError):
    """Something answers, but not Socket.IO: the HTTP path may be another."""


class RefusedError(NsroomError):
    """A namespace, the authentication or a join was refused."""

    code = ExitCode.REFUSED


class WaitError(NsroomError):
    """Connected, but the expected packet did not arrive in time."""

    code = ExitCode.TIMEOUT


class LostError(NsroomError):
    """The connection ended before everything was acknowledged."""

    code = ExitCode.LOST

    def __init__(self, text: str = "", *lines: str, may_have_arrived: bool = False) -> None:
        super().__init__(text, *lines)
        self.may_have_arrived = may_have_arrived
        """Whether what was to be sent may have reached the server."""


class NackError(NsroomError):
    """The server answered with an error."""

    code = ExitCode.NACK


class DataError(NsroomError):
    """Invalid input at a line; the lines before it were sent."""

    code = ExitCode.DATA


class LimitError(NsroomError):
    """The packet is larger than the server's `maxPayload`, and was not sent."""

    code = ExitCode.LIMIT


class OutputError(NsroomError):
    """Standard output or the recording could not be written."""

    code = ExitCode.OUTPUT


class Stopped(BaseException):
    """A signal stopped the command, after it cleaned up; `code` is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


class DecodeError(ValueError):
    """A frame that breaks the protocol: `reason` at `offset` (in characters or bytes) of `frame`."""

    def __init__(self, reason: str, frame: str | bytes, offset: int = 0) -> None:
        super().__init__(f"{reason} at offset {offset}")
        self.reason = reason
        self.frame = frame
        self.offset = offset


class CredentialsError(RefusedError):
    """The admin namespace exists, but refused the credentials."""
