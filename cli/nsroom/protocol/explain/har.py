"""Find the Engine.IO frames in a HAR file: polling bodies, and the WebSocket messages that Chromium adds.

The format: http://www.softwareishard.com/blog/har-12-spec/, and `_webSocketMessages` of Chromium's DevTools.
Exporters differ: control characters in strings, base64 in requests, compressed bodies, bytes as Latin-1.
A file that is cut off is read up to there.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote_plus, urlsplit

from nsroom.errors import DataError, DecodeError
from nsroom.protocol import engineio
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.explain.explainer import Found
from nsroom.protocol.limits import LIMITS
from nsroom.record import Direction, Json, parse_time

_TEXT, _BINARY = 1, 2
_ENTRIES = re.compile(r'"entries"\s*:\s*\[\s*')
_BETWEEN = " \t\r\n,"
_LOST = "the exporter stored these bytes as text and lost them (U+FFFD): nsroom proxy records them"
_JSONP = re.compile(r'___eio\[\d+\]\((".*")\);?\s*', re.DOTALL)


def parse(text: str) -> Iterator[Found]:
    """Yield the frames of every Engine.IO session in the file, session by session, each in order of time.

    Raises: DataError if the text is not a HAR file, has no such frames, or is cut off, after those it has.
    """
    entries, error = _load(text)
    sessions: dict[str | None, list[tuple[bool, Found]]] = {}
    connections = 0
    for entry in entries:
        query = _query(entry)
        if "EIO" in query and "transport" in query:
            connections += 1
            frames = list(_frames(entry, query))
            sid = query.get("sid") or _opened(frames)
            found = [("sid" in query, frame._replace(sid=sid)) for frame in frames]
            sessions.setdefault(sid, []).extend(found)
    for session in sessions.values():
        # The handshake first: clocks of exporters are coarse.
        yield from (frame for _, frame in sorted(session, key=lambda item: (item[0], item[1].time or 0)))
    if error:
        raise error
    if connections and not any(sessions.values()):
        raise DataError(
            "the HAR file has the connection, but not its WebSocket messages: this exporter leaves them out; "
            "save it with Chromium's network panel, or record with nsroom proxy --save"
        )
    if not connections:
        raise DataError("no Engine.IO frames in the HAR file: record it with the page's connection in it")


def _load(text: str) -> tuple[list[Json], DataError | None]:
    """Return the entries of the file, and the error that ends them early, if any.

    Raises: DataError if it is not a HAR file.
    """
    decoder = json.JSONDecoder(strict=False)  # control characters in the bodies of other requests
    text = text.strip("\0 \t\r\n")
    try:
        value, end = decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        reason = f"neither a recording nor a whole HAR file: {error.msg.lower()} at {where}"
        return _entries_before(text, decoder, DataError(reason)), DataError(reason)
    except (ValueError, RecursionError) as error:
        raise DataError(f"neither a recording nor a HAR file: {error}") from None
    entries = _get(value, "log", "entries")
    if not isinstance(entries, list) or end < len(text):
        raise DataError("neither a recording nor a HAR file: log.entries is missing")
    return entries, None


def _entries_before(text: str, decoder: json.JSONDecoder, error: DataError) -> list[Json]:
    """Return the complete entries of a file that is cut off. Raises: `error` if there are none."""
    entries: list[Json] = []
    start = _ENTRIES.search(text)
    at = start.end() if start else len(text)
    try:
        while at < len(text):
            entry, at = decoder.raw_decode(text, at)
            entries.append(entry)
            while text[at : at + 1] and text[at] in _BETWEEN:
                at += 1
    except (ValueError, RecursionError):
        pass
    if not entries:
        raise error
    return entries


def _get(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _text(value: Json, *keys: str) -> str:
    found = _get(value, *keys)
    return found if isinstance(found, str) else ""


def _query(entry: Json) -> dict[str, str]:
    try:
        fields = parse_qs(urlsplit(_text(entry, "request", "url")).query)
    except ValueError:
        return {}
    return {key: values[0] for key, values in fields.items()}


def _opened(frames: list[Found]) -> str | None:
    """Return the sid of the handshake in the frames, or None if it is not among them."""
    for found in frames:
        if isinstance(found.frame, str) and found.frame.startswith("0"):
            try:
                return engineio.parse_handshake(found.frame[1:]).sid
            except DecodeError:
                continue
    return None


def _frames(entry: Json, query: dict[str, str]) -> Iterator[Found]:
    is_old = query["EIO"] == "3"
    for message in _list(_get(entry, "_webSocketMessages")):
        for found in _websocket(message):
            yield found._replace(is_old=is_old)
    if query["transport"] == "polling":
        yield from _polling(entry, is_old)


def _websocket(message: Json) -> Iterator[Found]:
    data, opcode = _text(message, "data"), _get(message, "opcode")
    time = _micros(_get(message, "time"), 1_000_000)
    direction = Direction.OUT if _get(message, "type") == "send" else Direction.IN
    if opcode == _TEXT:
        yield Found(data, direction=direction, time=time)
    elif opcode == _BINARY:
        found = Found(data, direction=direction, time=time)
        try:
            yield found._replace(frame=base64.b64decode(data, validate=True))
        except ValueError:
            yield found._replace(error=DecodeError("a binary message that is not base64", data))


def _polling(entry: Json, is_old: bool) -> Iterator[Found]:
    start = _start(entry)
    posted = _get(entry, "request", "postData")
    if _text(posted, "text"):
        yield from _body(posted, [], Direction.OUT, start, is_old)
    response, method = _get(entry, "response"), _text(entry, "request", "method")
    status, content = _get(response, "status"), _get(response, "content")
    duration = _micros(_get(entry, "time"), 1000) or 0
    ended = None if start is None else start + duration
    if method == "GET" and status == 200:
        yield from _body(content, _list(_get(response, "headers")), Direction.IN, ended, is_old)
    elif isinstance(status, int) and status >= 400:
        text = _text(content, "text")
        reason = f"HTTP {status} instead of packets: {text[:200] or 'no body'}"
        yield Found(text, direction=Direction.IN, time=ended, error=DecodeError(reason, text))


def _body(
    content: Json, headers: list[Json], direction: Direction, time: int | None, is_old: bool
) -> Iterator[Found]:
    """Yield the frames of a request's or response's body."""
    text = _text(content, "text")
    if _get(content, "encoding") == "base64":
        try:
            body = _decompressed(base64.b64decode(text, validate=True), headers)
            if not is_old:
                body.decode()
        except ValueError:
            reason = "a body that is not UTF-8 in base64"
            yield Found(text, direction=direction, time=time, error=DecodeError(reason, text))
            return
    elif is_old:
        body = _old_bytes(_without_jsonp(text))
    else:
        body = text.encode("utf-8", "surrogatepass")
    if body:
        yield from _split(body, direction, time, is_old, is_old and body[:1] in b"\0\1" and "\ufffd" in text)


def _decompressed(body: bytes, headers: list[Json]) -> bytes:
    """Return a body that the exporter saved as it came, unpacked if its headers say that it is packed."""
    encoding = next(
        (_text(header, "value") for header in headers if _text(header, "name").lower() == "content-encoding"),
        "",
    )
    if encoding not in ("gzip", "deflate") or not body.startswith((b"\x1f\x8b", b"\x78")):
        return body
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        return inflate.decompress(body, LIMITS.frame)
    except zlib.error as error:
        raise ValueError(str(error)) from None


def _without_jsonp(text: str) -> str:
    """Return the payload inside JSONP polling: `___eio[0]("…");` of the server, `d=…` of the client."""
    if text.startswith("d="):
        return unquote_plus(text[2:]).replace("\\\\n", "\\n")
    wrapped = _JSONP.fullmatch(text)
    try:
        return str(json.loads(wrapped[1])) if wrapped else text
    except ValueError:
        return text


def _old_bytes(text: str) -> bytes:
    """Return the bytes of a body in Engine.IO 3's binary encoding, whose lengths end with 0xFF, or of text.

    Exporters save the bytes as Latin-1, or as UTF-8 with U+FFFD in place of 0xFF.
    """
    if text[:1] not in ("\0", "\1"):
        return text.encode("utf-8", "surrogatepass")
    if "\ufffd" in text:
        return text.encode("utf-8", "surrogatepass").replace("\ufffd".encode(), b"\xff")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _split(
    body: bytes, direction: Direction, time: int | None, is_old: bool, is_lossy: bool
) -> Iterator[Found]:
    """Yield the frames of a polling body, which may be binary in Engine.IO 3.

    In a lossy body 0xFF may have been any byte, except after a length.
    """
    try:
        for frame in Dialect(3 if is_old else 4).split_body(body):
            is_lost = is_lossy and ("\udcff" in frame if isinstance(frame, str) else b"\xff" in frame)
            error = DecodeError(_LOST, frame) if is_lost else None
            yield Found(frame, direction=direction, time=time, is_old=is_old, error=error)
    except DecodeError as error:
        if is_lossy:
            error = DecodeError(_LOST, error.frame)
        yield Found(error.frame, direction=direction, time=time, error=error)


def _start(entry: Json) -> int | None:
    try:
        return parse_time(_text(entry, "startedDateTime"))
    except (ValueError, OverflowError):
        return None


def _micros(value: Json, unit: int) -> int | None:
    if not isinstance(value, (int, float)):
        return None
    try:
        return int(value * unit)
    except (OverflowError, ValueError):  # not finite
        return None
