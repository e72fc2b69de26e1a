"""The man pages, made out of the help: one for nsroom, and one for each command.

`python -m tests.test_docs` writes them to docs/man; the wheel installs them under share/man/man1.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from nsroom import __version__
from nsroom.cli.app import build
from nsroom.commands import COMMANDS, GROUPS

FOLDER = Path(__file__).parent / "man"
SCRIPTING = Path(__file__).parent / "scripting.md"
"""The page with the tables of exit codes and variables."""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    tree: Any = typer.main.get_command(build(GROUPS))
    commands = {name: tree.commands[name] for name in COMMANDS}
    found = {"nsroom.1": _page("nsroom", tree, "[OPTIONS] COMMAND [ARGS]...", _commands(commands))}
    for name, command in commands.items():
        usage = " ".join(typer.Context(command).command.collect_usage_pieces(typer.Context(command)))
        found[f"nsroom-{name}.1"] = _page(f"nsroom {name}", command, usage, ())
    return found


def _page(name: str, command: Any, usage: str, more: Iterator[str] | tuple[()]) -> str:
    text, _, examples = command.help.partition("Examples:")
    title = name.replace(" ", "-")
    summary, _, description = text.strip().partition("\n")
    lines = [
        f'.TH "{title.upper()}" "1" "" "nsroom {__version__}" "nsroom"',
        *(".SH NAME", rf"{_plain(title)} \- {_plain(summary.rstrip('.'))}"),
        *(".SH SYNOPSIS", rf"\fB{_plain(name)}\fR {_plain(usage)}"),
        *(".SH DESCRIPTION", *_paragraphs(description.strip() or summary)),
        *more,
        *_options(command),
    ]
    if examples.strip():
        lines += [".SH EXAMPLES", *_verbatim(examples)]
    lines += [
        ".SH EXIT STATUS",
        *_terms(_rows("Exit codes")),
        ".SH ENVIRONMENT",
        *_terms(_rows("Environment")),
    ]
    other = r"\fBnsroom\fR(1)" if name != "nsroom" else r"\fBnsroom COMMAND \-\-help\fR"
    return "\n".join([*lines, ".SH SEE ALSO", other, ""])


def _commands(commands: dict[str, Any]) -> Iterator[str]:
    yield ".SH COMMANDS"
    yield from _terms((f"nsroom-{name}(1)", each.get_short_help_str(200)) for name, each in commands.items())


def _options(command: Any) -> Iterator[str]:
    context = typer.Context(command)
    records = [each.get_help_record(context) for each in command.get_params(context)]
    if rows := [record for record in records if record]:
        yield ".SH OPTIONS"
        yield from _terms(rows)


def _rows(section: str) -> Iterator[tuple[str, str]]:
    """Yield the first and the last cell of each row of a section's table."""
    text = SCRIPTING.read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (.*) \|$", text, re.M)[1:]:
        cells = row.replace("`", "").split(" | ")
        yield cells[0], cells[-1]


def _terms(rows: Any) -> Iterator[str]:
    for term, text in rows:
        yield from (".TP", rf"\fB{_plain(term)}\fR", _plain(re.sub(r"\s+", " ", text)))


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; those that are indented stay as they are."""
    for block in re.split(r"\n\s*\n", text.replace("\b", "")):
        if not block.strip():
            continue
        yield ".PP"
        if block.startswith("  ") or "\n  " in block:
            yield from _verbatim(block)
        else:
            yield _plain(" ".join(block.split()))


def _verbatim(text: str) -> Iterator[str]:
    yield from (".nf", *(_plain(line.rstrip()) for line in text.strip("\n").splitlines()), ".fi")


def _plain(text: str) -> str:
    """Return text without meaning for roff: no escapes, no requests, hyphens that can be copied."""
    text = text.replace("\\", r"\(rs").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti")
    text = text.replace("`", r"\(ga").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith(".") else text


def write() -> None:
    """Write all pages, and remove those of commands that no longer exist."""
    for old in FOLDER.glob("*.1"):
        old.unlink()
    for file, text in pages().items():
        (FOLDER / file).write_text(text, "utf-8")
