"""The topics of `nsroom help`: sections of these pages. `python -m tests.test_docs` writes them."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import nsroom

PAGES = Path(__file__).parent
FOLDER = Path(nsroom.__file__).parent / "topics"
SECTIONS = {
    "filters": ("scripting.md", "Filters"),
    "exit-codes": ("scripting.md", "Exit codes"),
    "environment": ("scripting.md", "Environment"),
    "recipes": ("scripting.md", "Recipes"),
    "keys": ("live-view.md", "The live view"),
    "configuration": ("configuration.md", "Configuration"),
    "namespaces": ("tutorial.md", "Tutorial: namespaces and rooms"),
}
"""The page and the heading of each topic."""
WIDTH = 80
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def topics() -> dict[str, str]:
    """Return the text of each topic."""
    return {name: _text(*place) for name, place in SECTIONS.items()}


def write() -> None:
    """Write the topics into the package."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, text in topics().items():
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")


def _text(page: str, heading: str) -> str:
    source = (PAGES / page).read_text("utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", source, re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no section {heading}"
    return "\n".join(_blocks(found[1])).strip("\n") + "\n"


def _blocks(source: str) -> Iterator[str]:
    """Yield the paragraphs, tables and code of a section as plain text."""
    for number, part in enumerate(re.split(r"^```\w*\n", source, flags=re.MULTILINE)):
        if number % 2:
            yield textwrap.indent(part, "  ")
            continue
        for block in re.split(r"\n\s*\n", part.strip()):
            if block.startswith("|"):
                yield from _table(block)
            elif block and not block.startswith("!["):
                yield textwrap.fill(" ".join(_plain(block).split()), WIDTH) + "\n"


def _table(block: str) -> Iterator[str]:
    rows = [line.strip("| ").split(" | ") for line in block.splitlines() if not line.startswith("|-")]
    cells = [[_plain(cell).replace("\\|", "|").replace("`", "") for cell in row] for row in rows[1:]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)][:-1]
    for row in cells:
        head = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        indent = " " * (len(head) + 4)
        yield textwrap.fill(row[-1], WIDTH, initial_indent=f"  {head}  ", subsequent_indent=indent)
    yield ""


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("**", "")
