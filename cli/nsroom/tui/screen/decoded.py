"""Values that are written inside other values: JSON and JWTs in texts, and times. Pure."""

import base64
import binascii
import json
import re
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from nsroom.output.times import moment
from nsroom.record import Json

MAX_LENGTH = 1_000_000
"""Characters of a text that is decoded; more take longer than a key press should."""
_JWT = re.compile(r"(?:Bearer +)?(eyJ[\w-]{2,})\.(eyJ[\w-]{2,})\.[\w-]*")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)")
_SECONDS = range(1_000_000_000, 4_000_000_000)


class Step(Enum):
    """A step of a path into a decoded text, as jq writes it."""

    JSON = "fromjson"
    HEADER = 'split(".")[0] | @base64d | fromjson'
    PAYLOAD = 'split(".")[1] | @base64d | fromjson'
    AS_SENT = "."
    """The text itself, which is shown after what it holds."""


class Content(NamedTuple):
    """What a text holds: its name, and each value with its step and its key, empty for the only one."""

    name: str
    values: list[tuple[Step, str, Json]]


def content(text: str) -> Content | None:
    """Return the JSON or the JWT that a text holds, or None."""
    if len(text) > MAX_LENGTH:
        return None
    if jwt := _JWT.fullmatch(text):
        header, payload = map(_from_base64, jwt.groups())
        if isinstance(header, dict) and isinstance(payload, dict):
            values = [(Step.HEADER, "header", header), (Step.PAYLOAD, "payload", payload)]
            return Content("JWT, its signature not checked", values)
    value = _container(text) if text[:1] in ("{", "[", " ", "\n") else None
    return Content("JSON in a text", [(Step.JSON, "", value)]) if value else None


def _container(text: str) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _from_base64(text: str) -> Json:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _container(data.decode("utf-8"))
    except (ValueError, binascii.Error):
        return None


def as_time(value: Json, utc: bool) -> str:
    """Return the time that a value may mean, with how it is written, or nothing.

    A number counts seconds or milliseconds since the epoch; a text is ISO 8601 with a zone.
    """
    if isinstance(value, str):
        return _iso(value, utc) if len(value) < 40 else ""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e15:
        return ""
    if int(value) in _SECONDS:
        return _named("epoch s", int(value * 1e6), utc)
    return _named("epoch ms", int(value * 1e3), utc) if int(value / 1000) in _SECONDS else ""


def _named(name: str, time: int, utc: bool) -> str:
    shown = moment(time, utc, "milliseconds" if time % 1_000_000 else "seconds")
    return f"{name}: {shown}" if shown else ""


def _iso(text: str, utc: bool) -> str:
    if not _ISO.fullmatch(text):
        return ""
    try:
        return _named("ISO 8601", int(datetime.fromisoformat(text).timestamp() * 1e6), utc)
    except (ValueError, OverflowError):
        return ""
