"""Find the Engine.IO frames in a HAR file: polling bodies, and the WebSocket messages that Chromium adds.

The format: http://www.softwareishard.com/blog/har-12-spec/, and `_webSocketMessages` of Chromium's DevTools.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from nsroom.errors import DataError, DecodeError
from nsroom.protocol import engineio
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.explain.explainer import Found
from nsroom.record import Direction, Json, parse_time

_TEXT, _BINARY = 1, 2


def parse(text: str) -> list[Found]:
    """Return the frames of every Engine.IO session in the file, session by session, each in order of time.

    Raises: DataError if the text is not a HAR file, or has no such frames.
    """
    sessions: dict[str | None, list[Found]] = {}
    for entry in _list(_get(_load(text), "log", "entries")):
        query = _query(entry)
        if "EIO" in query and "transport" in query:
            frames = list(_frames(entry, query))
            sid = query.get("sid") or _opened(frames)
            sessions.setdefault(sid, []).extend(replace(frame, sid=sid) for frame in frames)
    if not any(sessions.values()):
        raise DataError("no Engine.IO frames in the HAR file: record it with the page's connection in it")
    return [found for frames in sessions.values() for found in sorted(frames, key=lambda it: it.time or 0)]


def _load(text: str) -> Json:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise DataError(f"neither a recording nor a whole HAR file: {error.msg.lower()} at {where}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"neither a recording nor a HAR file: {error}") from None
    if not isinstance(_get(value, "log", "entries"), list):
        raise DataError("neither a recording nor a HAR file: log.entries is missing")
    return value


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
            yield replace(found, is_old=is_old)
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
            yield replace(found, frame=base64.b64decode(data, validate=True))
        except ValueError:
            yield replace(found, error=DecodeError("a binary message that is not base64", data))


def _polling(entry: Json, is_old: bool) -> Iterator[Found]:
    start = _start(entry)
    if body := _text(entry, "request", "postData", "text"):
        yield from _split(body.encode("utf-8", "surrogatepass"), Direction.OUT, start, is_old)
    if _text(entry, "request", "method") == "GET" and _get(entry, "response", "status") == 200:
        duration = _micros(_get(entry, "time"), 1000) or 0
        ended = None if start is None else start + duration
        yield from _response(_get(entry, "response", "content"), ended, is_old)


def _response(content: Json, time: int | None, is_old: bool) -> Iterator[Found]:
    text = _text(content, "text")
    body = text.encode("utf-8", "surrogatepass")
    if _get(content, "encoding") == "base64":
        try:
            body = base64.b64decode(text, validate=True)
            if not is_old:
                body.decode()
        except ValueError:
            reason = "a response that is not UTF-8 in base64"
            yield Found(text, direction=Direction.IN, time=time, error=DecodeError(reason, text))
            return
    if body:
        yield from _split(body, Direction.IN, time, is_old)


def _split(body: bytes, direction: Direction, time: int | None, is_old: bool) -> Iterator[Found]:
    """Yield the frames of a polling body, which may be binary in Engine.IO 3."""
    try:
        for frame in Dialect(3 if is_old else 4).split_body(body):
            yield Found(frame, direction=direction, time=time, is_old=is_old)
    except DecodeError as error:
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
