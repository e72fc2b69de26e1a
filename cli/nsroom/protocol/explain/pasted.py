"""Find the frame in a line as people copy it: from a network panel, a log, or source code."""

import ast
import re
from collections.abc import Iterator

_CONTROL = frozenset(("1", "2", "3", "5", "6", "2probe", "3probe"))
_BASE64 = re.compile(r"b[A-Za-z0-9+/]*=*").fullmatch
_TIME = re.compile(r"(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d:\d\d(?:[.,]\d+)?Z?\s+")
_ARROW = re.compile(r"[↑↓⬆⬇←→⇧⇩▲▼<>]+\s*")
_COLUMNS = re.compile(r"(?:\t\d+(?:\s.*)?|\s{2,}\d[\d.,:]*(?:\s.*)?)$")
_QUOTED = re.compile(r"b?([\"']).*\1", re.DOTALL)
_PART = "only the frame in this line is explained"
_BARE_PACKET = "a Socket.IO packet without Engine.IO's 4 in front: explained with it"
_BARE_EVENT = "an event without its packet type: explained as a Socket.IO event, 42"


def looks_complete(text: str) -> bool:
    """Return whether a line starts and ends like a frame; cheap, and true for most lines of a capture."""
    if text[:1] == "4":
        return (text.endswith(("]", "}")) and "\\x1e" not in text) or len(text) < 3
    return text in _CONTROL or bool(_BASE64(text)) or (text.startswith("0{") and text.endswith("}"))


def is_odd_control(text: str) -> bool:
    """Return whether a line has a control packet with data that no control packet has."""
    packets = text.split("\x1e")
    return any(packet[:1] in ("1", "2", "3", "5", "6") and packet not in _CONTROL for packet in packets)


def candidates(text: str) -> Iterator[tuple[str, str]]:
    """Yield frames that the line may contain, the likeliest first, each with a hint for the user."""
    inner = _unquoted(_COLUMNS.sub("", _ARROW.sub("", _TIME.sub("", text.strip(), 1), 1)).strip())
    inner = inner.replace("\\x1e", "\x1e").replace("\\u001e", "\x1e")
    if inner != text:
        yield inner, _PART
    if inner[:1] in tuple("0123456"):
        yield f"4{inner}", _BARE_PACKET
    if inner[:1] == "[":
        yield f"42{inner}", _BARE_EVENT


def _unquoted(text: str) -> str:
    """Return the contents of a string literal of Python, JavaScript or JSON, or any other text unchanged."""
    if not _QUOTED.fullmatch(text):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text[text.index(text[-1]) + 1 : -1]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
