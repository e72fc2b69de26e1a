"""The texts of the project in plain English, and a test file for every module."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("cli", "server", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
VERB = re.compile(r'^[rf]?"""(?:Give|Gives|Say|Says|Tell|Tells)\b')
HARD = re.compile(
    r"\b(?:is|was) no (?!longer\b|more\b)|\bthere is none\b|\bthose who\b|\bstands? for\b|\bbelongs? into\b"
    r"|\bwhoever\b|\banew\b|\bamid\b|\b(?:has|have) gone\b",
    re.IGNORECASE,
)
LONG = 60
"""Lines of a module that needs a test file of its own."""
UNTESTED = {"server/chat/backend.py", "server/socketio/application.py"}
"""Interfaces. It only gets shorter."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and strings of a module, or the lines of a document, with their line numbers."""
    source = path.read_text("utf-8")
    if path.suffix == ".md":
        yield from enumerate(source.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def faults(text: str) -> bool:
    """Return whether a text is in the English that this project has left behind."""
    return bool(VERB.search(text) or HARD.search(text))


@pytest.mark.parametrize("path", [*SOURCES, *DOCUMENTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_are_plain_english(path: Path) -> None:
    assert [f"{path.name}:{line}: {text[:100]}" for line, text in texts(path) if faults(text)] == []


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ('"""Give the session of this name."""', True),
        ('"""Tell whether it is full."""', True),
        ("# there is no server", True),
        ("the id is no number", True),
        ("those who wait", True),
        ("it is no longer there", False),
        ('"""Return the session."""', False),
    ],
)
def test_the_rule_catches(text: str, faulty: bool) -> None:
    assert faults(text) is faulty


def test_every_module_has_a_test_file() -> None:
    missing = set()
    for root, mirror in ((ROOT / "cli" / "nsroom", "cli"), (ROOT / "server" / "nsroom_server", "server")):
        for path in root.rglob("*.py"):
            if path.name != "__init__.py" and len(path.read_text("utf-8").splitlines()) > LONG:
                place = path.relative_to(root)
                if not (ROOT / "tests" / mirror / place.parent / f"test_{place.name}").exists():
                    missing.add(f"{mirror}/{place.as_posix()}")
    assert missing == UNTESTED
