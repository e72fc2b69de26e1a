"""The page of the error messages that `doctor --explain` knows. `python -m tests.test_docs` writes it."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from nsroom.doctor.client_errors import KnownError, anchor, known_errors

FILE = Path(__file__).with_name("error-messages.md")
_INTRODUCTION = """\
# Error messages

What clients, browsers, servers and proxies print when a connection fails, and what causes it.
`nsroom doctor --explain` finds a message in this list, even with typing errors, and with
`--json` it prints the `anchor` of the section. To find out which of the causes is yours,
run [`nsroom doctor`](doctor.md).
"""
_SPECIAL = re.compile(r"[*_\[\]<>]")


def page() -> str:
    """Return the page: a section for each error, with an anchor for each of its messages."""
    return "\n".join((_INTRODUCTION, *(line for error in known_errors() for line in _section(error))))


def write() -> None:
    """Write the page."""
    FILE.write_text(page(), "utf-8")


def _section(error: KnownError) -> Iterator[str]:
    first, *others = error.words
    yield f"## <code>{html.escape(first)}</code> {{ #{anchor(first)} }}\n"
    if others:
        named = (f'<code id="{anchor(each)}">{html.escape(each)}</code>' for each in others)
        yield f"Also: {', '.join(named)}\n"
    yield from (f"- {_text(cause)}" for cause in error.causes)
    yield ""


def _text(cause: str) -> str:
    """Return a cause as Markdown, in which only backticks have a meaning."""
    parts = cause.split("`")
    return "`".join(part if at % 2 else _SPECIAL.sub(r"\\\g<0>", part) for at, part in enumerate(parts))
