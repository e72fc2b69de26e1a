"""Read the lines of a scenario.

A line is `CLIENT: VERB ARGUMENT…`, with words and JSON as in the live view, and a comment after `#`. It may
end with `as NAME=PATH…`, `within TIME` or `for TIME`. `include FILE` inserts the lines of another file.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nsroom.cli.durations import parse_duration
from nsroom.cli.shell_words import UnclosedError, Word, split_at
from nsroom.encoding import read_script
from nsroom.errors import UsageError
from nsroom.filters import FilterError, parse_path
from nsroom.scenarios.script import Line, ScriptError

SUFFIX = ".nsroom"
REFUSED = "refused"
"""The first word of an expectation that something is refused."""
_MAX_INCLUDED = 20
_LINE = re.compile(r"\s*([A-Za-z_][\w-]*)\s*:\s+(\S+)\s*")
_INCLUDE = re.compile(r"\s*include\s+(\S.*?)\s*(#.*)?")
_NAME = re.compile(r"([A-Za-z_]\w*)=(\S+)")
_AS = re.compile(r"\sas((?:\s+[A-Za-z_]\w*=[A-Za-z]\S*)+)\s*$")
_TIME = re.compile(r"\s(?:within|for)\s+(\S+)\s*$")
_COUNT = re.compile(r"\s*([1-9][0-9]{0,5})\s+(?=\S)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
_FILE = re.compile(r"((?:[A-Za-z_][\w.-]*:?=)?@)(.+)", re.DOTALL)
_REFUSED = re.compile(rf"{REFUSED}(?=[\s\"']|$)")
_EXPECTATIONS = ("expect", "never")


def read(file: Path, depth: int = 0) -> Iterator[Line]:
    """Yield the lines of a file, and of those that it includes. Raises: ScriptError, UsageError."""
    for number, text in enumerate(read_script(file).splitlines(), 1):
        if included := _INCLUDE.fullmatch(text):
            if depth == _MAX_INCLUDED:
                raise ScriptError((file, number), included.start(1), "too many files include each other")
            yield from read(file.parent / included[1], depth + 1)
        elif text.strip() and not text.lstrip().startswith("#"):
            yield _line(file, number, text)


def _line(file: Path, number: int, text: str) -> Line:
    found = _LINE.match(f"{text} ")
    if found is None:
        start = len(text) - len(text.lstrip())
        raise ScriptError((file, number), start, "write it as CLIENT: VERB ARGUMENT…, or include FILE")
    client, verb = found[1], found[2]
    line = Line(file, number, client, verb, start=found.start(2))
    if verb in _EXPECTATIONS:
        text = text[: _comment(text, found.end())]
        if verb != "expect" or not _REFUSED.match(text, found.end()):
            return _expectation(line, text.rstrip(), min(found.end(), len(text)))
    return _with_words(line, text, min(found.end(), len(text)))


def _comment(text: str, at: int) -> int:
    """Return where the comment of an expectation starts: at a `#` after a blank, outside quotes."""
    while at < len(text):
        if string := _STRING.match(text, at):
            at = string.end()
        elif text[at] == "#" and text[at - 1].isspace():
            return at
        else:
            at += 1
    return at


def _expectation(line: Line, text: str, start: int) -> Line:
    line = replace(line, text=text.strip())
    text, line = _without_time(text, line)
    text, line = _without_names(text, line)
    if line.seconds is None:
        text, line = _without_time(text, line)
    if line.verb == "expect" and (found := _COUNT.match(text, start)):
        line, start = replace(line, count=int(found[1])), found.end()
    if not text[start:].strip():
        raise ScriptError(line, line.start, f"{line.verb} needs a filter, such as event=message")
    return replace(line, expression=text[start:].rstrip(), expression_start=start)


def _with_words(line: Line, text: str, start: int) -> Line:
    try:
        words = split_at(text[start:], comments=True)
    except UnclosedError as error:
        raise ScriptError(line, start + error.start, str(error)) from None
    plain = {"-t", "--text"} & {word.text for word in words}
    folder = line.file.parent
    words = [
        Word(word.text if plain else _from_folder(word.text, folder), start + word.start) for word in words
    ]
    names: dict[str, str] = {}
    marks = [index for index, word in enumerate(words) if word.text == "as"]
    if line.verb == "call" and marks and all(_NAME.fullmatch(word.text) for word in words[marks[-1] + 1 :]):
        at = marks[-1]
        line = _named(line, " ".join(word.text for word in words[at + 1 :]), words[at].start)
        names, words = dict(line.names), words[:at]
    end = words[-1].start + len(words[-1].text) if words else len(text)
    return replace(line, words=tuple(words), names=names, text=text[: _end(text, start, end)].strip())


def _end(text: str, start: int, end: int) -> int:
    """Return where the comment of a line with words starts; quotes make a word longer than its text."""
    found = re.search(r"\s#", text[max(start, end) :])
    return max(start, end) + found.start() if found else len(text)


def _without_names(text: str, line: Line) -> tuple[str, Line]:
    found = _AS.search(text) if line.verb == "expect" else None
    if found is None:
        return text, line
    return text[: found.start()], _named(line, found[1], found.start() + 1)


def _named(line: Line, texts: str, start: int) -> Line:
    names: dict[str, str] = {}
    for text in texts.split():
        name, _, path = text.partition("=")
        try:
            parse_path(path)
        except FilterError as error:
            raise ScriptError(line, start, f"{path}: {error.reason}") from None
        names[name] = path
    return replace(line, names=names, names_start=start)


def _without_time(text: str, line: Line) -> tuple[str, Line]:
    found = _TIME.search(text)
    if found is None:
        return text, line
    try:
        seconds = parse_duration("the time", found[1])
    except UsageError as error:
        raise ScriptError(line, found.start(1), str(error)) from None
    return text[: found.start()], replace(line, seconds=seconds)


def _from_folder(word: str, folder: Path) -> str:
    """Return a word with its @FILE relative to the folder of the scenario."""
    found = _FILE.fullmatch(word)
    return f"{found[1]}{folder / found[2]}" if found else word
