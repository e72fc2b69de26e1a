"""Explain why a connection failed, in one line."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from nsroom.client.negotiation import OtherDialectError
from nsroom.client.network_errors import explain_os_error, no_answer
from nsroom.client.target import Target
from nsroom.client.transports.connection import Connection
from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.errors import ConnectError, DecodeError, NotSocketIOError
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.engineio import parse_handshake
from nsroom.record import Json

_V2_POLLING = re.compile(r"\d+:0\{|\x00[\x00-\x09]+")
_V4_POLLING = re.compile(r"0\{")
_STATUS = {
    200: "not Socket.IO: are the port and --path right?",
    401: "authentication required: use --header or --cookie",
    403: "forbidden by the server or a proxy: does it need a --header, a --cookie or an Origin?",
    404: "no Socket.IO at this path: set --path, or start the server",
    426: "a plain WebSocket server? nsroom speaks Socket.IO",
    429: "too many connections: try again later",
    500: "the server failed: see its log",
    502: "the proxy gets no answer from the application: is it running?",
    503: "the proxy has no application to forward to, or it is overloaded",
    504: "the proxy gets no answer from the application in time",
}
# The codes of the Engine.IO reference implementation.
_ENGINE_CODES = {
    0: "the server does not offer this transport: try another --transport",
    1: "the server does not know the session: a load balancer without sticky sessions?",
    3: "the application or a proxy refuses the request: does it need a --query, a --header or a --cookie?",
    4: "forbidden by the server's allowRequest: does it need a --header, a --cookie or a --query?",
    5: "the server speaks another version of the protocol",
}
_OTHER_VERSION = 5
_CLOSED_ON_VERSION = 1002
"""The code with which Node's server closes a WebSocket of another version, without a message."""
# The message of python-engineio, which has no codes.
_UNSUPPORTED = re.compile("unsupported version", re.IGNORECASE)


def explain(error: BaseException, connection: Connection, target: Target) -> ConnectError:
    """Return the root cause of a failed connection and what to do, in one line.

    An OtherDialectError if another dialect may work.
    """
    other = connection.tap.dialect.other_engine
    cause = _network(error, connection, target)
    if cause is None and _answers_in_other_version(connection):
        return other_dialect(other, target)
    cause = cause or _http(error, connection) or _not_socketio(connection)
    cause = cause or _plain(error)
    text = f"cannot connect to {target.place}{_way(connection, cause)}: {cause}"
    if _may_need_other_version(error, connection):
        return OtherDialectError(text, other, guessed=True)
    is_elsewhere = connection.reached and connection.tap.session.handshake is None
    return NotSocketIOError(text) if is_elsewhere else ConnectError(text)


def _way(connection: Connection, cause: str) -> str:
    """Return the proxy on the way to the server, unless the cause names it already."""
    proxy = str(connection.proxy or "")
    return f" through {proxy}" if proxy and proxy not in cause else ""


def other_dialect(dialect: Dialect, target: Target) -> OtherDialectError:
    """Return the error for a server that speaks this dialect."""
    return OtherDialectError(f"cannot connect to {target.place}: the server speaks {dialect}", dialect)


def unanswered(connection: Connection, target: Target) -> ConnectError:
    """Return the error for a server that closed the connection when asked for a namespace.

    A server with another parser does so: it does not answer a packet that it cannot read.
    """
    text = (
        f"{target.place} closed the connection before it answered for the namespace ({connection.why_ended})"
        f"{connection.tap.hint}"
    )
    if connection.tap.timed_out or connection.tap.session.namespaces:
        return ConnectError(text)
    return OtherDialectError(text, connection.tap.dialect.other_parser, guessed=True)


def network_fault(error: BaseException | None, url: str) -> str | None:
    """Return why the network failed below HTTP: name, TCP, TLS, or no answer; None for another error.

    The error may be asyncio's or aiohttp's, and the cause of another. `url` is that of the server.
    """
    return next(filter(None, (_network_fault(each, urlsplit(url)) for each in chain(error))), None)


def silence_advice(has_auth: bool) -> str:
    """Return why a server may not answer a CONNECT; a Python connect handler that raises sends no answer."""
    cause = "a middleware that never calls next(), or a connect handler that never returns or raised"
    return cause if has_auth else f"{cause} (does it expect --auth?)"


def refusal_advice(status: int, code: int | None = None) -> str | None:
    """Return what an HTTP status and Engine.IO's error code mean as the answer to a handshake."""
    return (_ENGINE_CODES.get(code) if code is not None else None) or _STATUS.get(status)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _network(error: BaseException, connection: Connection, target: Target) -> str | None:
    line = network_fault(connection.failure, target.url) or network_fault(error, target.url)
    if line:
        return f"it redirects to {connection.redirect}, but there: {line}" if connection.redirect else line
    if isinstance(error, TimeoutError) or isinstance(connection.failure, TimeoutError):
        return _timeout(connection, target)
    return None


def _network_fault(error: BaseException, url: SplitResult) -> str | None:
    tls = url.scheme == "https"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"no such host: {error.host}"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        return explain_os_error(cause, error.host, error.port) or f"{cause.strerror or cause}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return no_answer("closed the connection without an answer", tls)
    if type(error) is aiohttp.ClientResponseError:
        detail = error.message.partition("\n")[0].rstrip(": ") or "malformed"
        return f"its answer is not HTTP ({detail}): is the port right?"
    if isinstance(error, OSError):
        return explain_os_error(error, url.hostname, url.port or (443 if tls else 80), tls=tls)
    return None


def _timeout(connection: Connection, target: Target) -> str:
    seconds = f"{target.connect_timeout:g} s"
    if not connection.reached:
        return f"no connection within {seconds}: a firewall, or the wrong address?"
    if connection.tap.session.handshake is not None:
        if connection.refused_post is not None:
            return f"HTTP {connection.refused_post} to a POST: does a proxy or firewall block it?"
        cause = connection.tap.hint or f": {silence_advice(target.auth is not None)}"
        return f"it did not answer for the namespace within {seconds}{cause}"
    if connection.status == 101:
        return f"it accepts WebSocket, but sends no handshake within {seconds}: a plain WebSocket server?"
    return f"it accepts connections, but does not answer within {seconds}: no HTTP server, or a stuck one?"


def _http(error: BaseException, connection: Connection) -> str | None:
    status = connection.status
    if connection.redirect is not None:
        return f"it redirects to {connection.redirect}: does it need a login, or another URL?"
    if status is None or status == 101 or connection.tap.unexpected_frame is not None:
        return None
    if status == 407 and connection.proxy is not None:
        return f"{connection.proxy} {connection.proxy.refusal(status)}"
    body = _engine_error(error)
    code = body.get("code") if isinstance(body, dict) else None
    advice = refusal_advice(status, code if isinstance(code, int) else None)
    advice = advice or "not a Socket.IO server: are the URL and --path right?"
    kind = f" ({connection.headers.get('Content-Type', 'empty')})" if status == 200 else ""
    return f"HTTP {status}{kind}: {advice}"


def _engine_error(error: BaseException) -> Json:
    """Return the body of an Engine.IO error, `{"code": …, "message": …}`, as python-engineio raised it."""
    from nsroom.client.transports.slim_socketio import engineio

    for cause in chain(error):
        if isinstance(cause, engineio.exceptions.ConnectionError) and len(cause.args) > 1:
            return cause.args[1]
    return None


def _answers_in_other_version(connection: Connection) -> bool:
    """Return whether the polled body is a handshake of the other Engine.IO version."""
    frame = connection.tap.unexpected_frame
    form = _V4_POLLING if connection.tap.dialect.is_old else _V2_POLLING
    return isinstance(frame, str) and form.match(frame) is not None


def _may_need_other_version(error: BaseException, connection: Connection) -> bool:
    """Return whether the server seems to refuse our Engine.IO version."""
    if connection.tap.dialect.is_old and connection.tap.close_code == _CLOSED_ON_VERSION:
        return True
    body = _engine_error(error)
    if isinstance(body, dict):
        return body.get("code") == _OTHER_VERSION
    return isinstance(body, str) and _UNSUPPORTED.search(body) is not None


def _not_socketio(connection: Connection) -> str | None:
    """Return what arrived instead of the handshake."""
    frame: Json = connection.tap.unexpected_frame
    if connection.tap.fault is not None:
        return f"it sends invalid WebSocket data: {connection.tap.fault}"
    if frame is None:
        closing = connection.tap.closing
        return closing and f"it closed the WebSocket before the handshake ({closing})"
    if isinstance(frame, str) and connection.tap.dialect.is_old and _V2_POLLING.match(frame):
        return "it speaks Socket.IO 2 (Engine.IO 3), but its handshake is malformed"
    if isinstance(frame, str) and frame.startswith("0"):
        return f"its handshake is malformed: {_handshake_fault(frame)}"
    if connection.status == 101:
        return "it accepts WebSocket, but its messages are not Socket.IO: a plain WebSocket server?"
    kind = connection.headers.get("Content-Type", "")
    content = "a web page" if "html" in kind else "something else" if frame else "an empty body"
    return f"it answers with {content}, not Socket.IO: are the port and --path right?"


def _handshake_fault(frame: str) -> str:
    try:
        parse_handshake(frame[1:])
    except DecodeError as error:
        return str(error)
    return "unexpected values"


def _plain(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
