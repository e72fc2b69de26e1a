"""The handshake of Engine.IO over polling: what answers, and which refusal it is."""

import re
from dataclasses import dataclass

from nsroom.doctor.probes.http import HttpClient, NoResponse, Response
from nsroom.doctor.probes.session import parse_open
from nsroom.doctor.probes.wires import PollingWire, polling_query, split_body
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT, Dialect
from nsroom.protocol.refusals import parse_engine_error

# Text, or the binary form, which servers before Socket.IO 2 send.
_EIO3 = re.compile(rb"(?:[0-9]{1,6}:|\x00[\x00-\x09]{1,6}\xff)0\{")
_REFUSALS = (
    "invalid transport",
    "transport unknown",
    "not an accepted origin",
    "invalid session",
    "unsupported",
    "bad request",
    "bad handshake method",
    "forbidden",
)
_TRANSPORT_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class PollingHandshake:
    """The response to a polling handshake, or the error without one."""

    response: Response | None = None
    error: NoResponse | None = None

    @property
    def revision(self) -> int | None:
        """The Engine.IO protocol, 3 or 4, or None if the handshake failed."""
        if self.response is None or self.response.status != 200:
            return None
        if _EIO3.match(self.response.body):
            return 3
        return 4 if self.response.body.startswith(b"0{") else None

    @property
    def refusal(self) -> tuple[int | None, str | None]:
        """Code and message of an Engine.IO error response."""
        if self.response is None or self.response.status == 200:
            return None, None
        code, message = parse_engine_error(self.response.text)
        lower = (message or "").lower()
        known = any(text in lower for text in _REFUSALS)
        return (code, message) if known or code is not None else (None, None)

    @property
    def is_transport_unknown(self) -> bool:
        """Whether Engine.IO refused the handshake because it does not offer polling."""
        code, message = self.refusal
        return code == _TRANSPORT_UNKNOWN or "transport" in (message or "").lower()

    @property
    def is_engineio(self) -> bool:
        """Whether the response came from Engine.IO."""
        return self.revision is not None or self.refusal[1] is not None


async def shake_hands(http: HttpClient, path: str | None = None, timeout: float = 4.0) -> PollingHandshake:
    """Try a polling handshake, and close the session that it opens."""
    try:
        response = await http.request("GET", polling_query(DEFAULT), path=path, timeout=timeout)
    except NoResponse as error:
        return PollingHandshake(error=error)
    handshake = PollingHandshake(response)
    if handshake.revision and path is None:
        await close_session(http, handshake.revision, response)
    return handshake


async def close_session(http: HttpClient, revision: int, response: Response) -> None:
    """Close the session that a handshake opened."""
    try:
        sid = parse_open(split_body(response.body, Dialect(revision))[0]).sid
    except DecodeError:
        return
    await PollingWire(http, Dialect(revision), sid, response.cookies).close()
