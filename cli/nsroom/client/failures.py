"""Why a connection failed: the one place that turns exceptions, HTTP answers and strange bytes to a line."""

import re
from collections.abc import Iterator

from nsroom.client.negotiation import OtherDialectError
from nsroom.client.network_errors import explain_os_error
from nsroom.client.target import Target
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.errors import ConnectError, DecodeError
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.engineio import parse_handshake
from nsroom.record import Json

_V2_POLLING = re.compile(r"\d+:0\{|\x00[\x00-\x09]+")
_V4_POLLING = re.compile(r"0\{")
_STATUS = {
    200: "not Socket.IO: are the port and --path right?",
    401: "the server wants to know who you are: give --header or --cookie",
    403: "the server, or a proxy before it, forbids it: is an --header, a --cookie or an Origin needed?",
    404: "no Socket.IO there: give its --path, or start the server",
    426: "a plain WebSocket server? nsroom speaks Socket.IO",
    429: "too many connections: try later",
    500: "the server failed: look into its log",
    502: "the proxy gets no answer from the application behind it: is that running?",
    503: "the proxy has no application behind it, or that is overloaded",
    504: "the proxy gets no answer in time from the application behind it",
}
# The codes of the Engine.IO reference implementation.
_ENGINE_CODES = {
    0: "the server does not offer this transport: try another --transport",
    1: "the server forgot the session: a load balancer without sticky sessions?",
    4: "the server's allowRequest forbids it: is an --header, a --cookie or --query needed?",
    5: "the server speaks another version of the protocol",
}
_OTHER_VERSION = 5
_CLOSED_ON_VERSION = 1002
"""With which Node's server closes a WebSocket, before any word, where the version is another."""
# The words of python-engineio, which has no codes.
_UNSUPPORTED = re.compile("unsupported version", re.IGNORECASE)


def explain(error: BaseException, connection: Connection, target: Target) -> ConnectError:
    """Name the root cause of a failed connection and what to do, in one line."""
    other = connection.tap.dialect.other_engine
    cause = _network(error, connection, target)
    if cause is None and _answers_as_other(connection):
        return other_dialect(other, target)
    cause = cause or _http(error, connection) or _strange(connection)
    text = f"cannot connect to {target.place}: {cause or _plain(error)}"
    if _is_refused_as_other(error, connection):
        return OtherDialectError(text, other, guessed=True)
    return ConnectError(text)


def other_dialect(dialect: Dialect, target: Target) -> OtherDialectError:
    """Say what the server speaks."""
    return OtherDialectError(f"cannot connect to {target.place}: the server speaks {dialect}", dialect)


def unanswered(connection: Connection, target: Target) -> ConnectError:
    """Say that the server closed the connection where it was asked for a namespace.

    So does one with another parser: what it cannot read it does not answer.
    """
    text = (
        f"{target.place} closed the connection before it answered for the namespace ({connection.why_ended})"
    )
    if connection.tap.silent or connection.tap.session.namespaces:
        return ConnectError(text)
    return OtherDialectError(text, connection.tap.dialect.other_parser, guessed=True)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _network(error: BaseException, connection: Connection, target: Target) -> str | None:
    line = network_fault(connection.failure) or network_fault(error)
    if line:
        return line
    if isinstance(error, TimeoutError) or isinstance(connection.failure, TimeoutError):
        return _silence(connection, target)
    return None


def network_fault(error: BaseException | None) -> str | None:
    """Return why the network failed below HTTP: name, TCP, TLS, or no answer; None for another error.

    The error may be asyncio's or aiohttp's, and the cause of another.
    """
    return next(filter(None, map(_network_fault, _chain(error))), None)


def status_advice(status: int) -> str | None:
    """Say what an HTTP status means where Socket.IO was asked for."""
    return _STATUS.get(status)


def _network_fault(error: BaseException) -> str | None:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"no such host: {error.host}"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        return explain_os_error(cause, error.host, error.port) or f"{cause.strerror or cause}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer: no HTTP server, or does it want https://?"
    if type(error) is aiohttp.ClientResponseError:
        return f"its answer is not HTTP ({error.message.splitlines()[0]}): is the port right?"
    return explain_os_error(error) if isinstance(error, OSError) else None


def _silence(connection: Connection, target: Target) -> str:
    seconds = f"{target.connect_timeout:g} s"
    if not connection.reached:
        return f"no connection within {seconds}: a firewall, or the wrong address?"
    if connection.tap.session.handshake is not None:
        return f"it did not answer for the namespace within {seconds}: a middleware that never calls next()?"
    if connection.status == 101:
        return f"it accepts WebSocket, but sends no handshake within {seconds}: a plain WebSocket server?"
    return f"it accepts connections, but does not answer within {seconds}: no HTTP server, or a stuck one?"


def _http(error: BaseException, connection: Connection) -> str | None:
    status = connection.status
    if connection.redirect is not None:
        return f"it redirects to {connection.redirect}: is a log-in or another URL needed?"
    if status is None or status == 101 or connection.tap.stranger is not None:
        return None
    said = _refusal(error)
    code = said.get("code") if isinstance(said, dict) else None
    advice = _ENGINE_CODES.get(code) if isinstance(code, int) else None
    advice = advice or _STATUS.get(status) or "no Socket.IO server answers so: are the URL and --path right?"
    kind = f" ({connection.headers.get('Content-Type', 'empty')})" if status == 200 else ""
    return f"HTTP {status}{kind}: {advice}"


def _refusal(error: BaseException) -> Json:
    """Find the body of an Engine.IO refusal, `{"code": …, "message": …}`, in what python-engineio raised."""
    from nsroom.client.transports.slim_socketio import engineio

    for cause in _chain(error):
        if isinstance(cause, engineio.exceptions.ConnectionError) and len(cause.args) > 1:
            return cause.args[1]
    return None


def _answers_as_other(connection: Connection) -> bool:
    """Tell whether what was polled is a handshake of the other generation."""
    frame = connection.tap.stranger
    form = _V4_POLLING if connection.tap.dialect.is_old else _V2_POLLING
    return isinstance(frame, str) and form.match(frame) is not None


def _is_refused_as_other(error: BaseException, connection: Connection) -> bool:
    """Tell whether the server seems to refuse our generation."""
    if connection.tap.dialect.is_old and connection.tap.close_code == _CLOSED_ON_VERSION:
        return True
    said = _refusal(error)
    if isinstance(said, dict):
        return said.get("code") == _OTHER_VERSION
    return isinstance(said, str) and _UNSUPPORTED.search(said) is not None


def _strange(connection: Connection) -> str | None:
    frame: Json = connection.tap.stranger
    if frame is None:
        if connection.tap.close_code is None:
            return None
        return f"it closed the WebSocket before the handshake (code {connection.tap.close_code})"
    if isinstance(frame, str) and connection.tap.dialect.is_old and _V2_POLLING.match(frame):
        return "it speaks Socket.IO 2 (Engine.IO 3), but its handshake is malformed"
    if isinstance(frame, str) and frame.startswith("0"):
        return f"its handshake is malformed: {_handshake_fault(frame)}"
    kind = connection.headers.get("Content-Type", "")
    what = "a web page" if "html" in kind else "something else" if frame else "an empty body"
    if connection.status == 101:
        return "it accepts WebSocket, but what it sends is no Socket.IO: a plain WebSocket server?"
    return f"it answers with {what}, not Socket.IO: are the port and --path right?"


def _handshake_fault(frame: str) -> str:
    try:
        parse_handshake(frame[1:])
    except DecodeError as error:
        return str(error)
    return "unexpected values"


def _plain(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
