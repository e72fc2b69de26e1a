"""Check a whole scenario before anything is sent: verbs, clients, names, filters, and the order of all."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from nsroom.cli.durations import parse_duration
from nsroom.errors import UsageError
from nsroom.filters import FilterError, parse
from nsroom.record import Json
from nsroom.scenarios.script import SERVER, Line, Script, ScriptError
from nsroom.scenarios.syntax import REFUSED, SUFFIX, read
from nsroom.scenarios.variables import fill_expression, fill_word, names_in
from nsroom.scenarios.verbs import TAKES_ARGUMENTS, VERBS, check_files, parse_words

PORT = "port"
"""The name of the free port for the scenario's own server."""
GROUP = "group"
"""The name of a number for each group of clients of a load test; a test has only group 0."""
_ROOM = "room"
"""The name that --join-args fills in."""
_SIGNALS = ("start", "stop", "kill")
_PLACEHOLDER = "1"
_REFUSABLE = ("connect", "join", "call")


class _State(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"


def load(file: Path, name: str, values: Mapping[str, Json]) -> Script:
    """Return the scenario in a file. Raises: ScriptError at the first line that is wrong, UsageError."""
    lines, values = tuple(read(file)), {GROUP: 0, **values}
    if not lines:
        raise UsageError(f"{file}: it has no lines")
    checker = _Checker(lines, values)
    for index, line in enumerate(lines):
        checker.check(index, line)
    checker.check_names()
    return Script(name, file, lines, values, frozenset(checker.used), frozenset(checker.refusals))


class _Checker:
    """What is known after each line."""

    def __init__(self, lines: tuple[Line, ...], values: Mapping[str, Json]) -> None:
        self.refusals: set[int] = set()
        self._lines = lines
        self._values = values
        self._states: dict[str, tuple[_State, int]] = {}
        """The state of each client, and the line that it is since."""
        self._server = ""
        """The last verb of the server."""
        self._defined: dict[str, Line] = {}
        self.used: set[str] = set()
        """The names that are used."""
        self._checks: dict[str, Callable[[int, Line], None]] = {
            "connect": self._check_words,
            "expect": self._check_expectation,
            "never": self._check_expectation,
            "wait": self._check_wait,
            "disconnect": self._check_nothing,
        }

    def check(self, index: int, line: Line) -> None:
        """Check one line after those before it. Raises: ScriptError."""
        if line.client == SERVER:
            self._check_server(line)
            return
        if line.verb not in VERBS:
            close = get_close_matches(line.verb, VERBS, 1)
            hint = f"; did you mean {close[0]}?" if close else f": use one of {', '.join(VERBS)}"
            raise ScriptError(line, line.start, f"unknown verb {line.verb!r:.40}{hint}")
        self._check_state(line)
        self._check_uses(line)
        self._checks.get(line.verb, self._check_words)(index, line)
        self._define(line)

    def _check_state(self, line: Line) -> None:
        state, since = self._states.get(line.client, (None, 0))
        if line.verb == "connect":
            if state is _State.CONNECTED:
                raise ScriptError(line, 0, f"{line.client} is connected since line {since}")
            self._states[line.client] = _State.CONNECTED, line.number
        elif state is None:
            raise ScriptError(line, 0, self._unknown_client(line))
        elif state is _State.DISCONNECTED:
            raise ScriptError(line, 0, f"unreachable: {line.client} is disconnected since line {since}")
        elif state is _State.REFUSED and not is_refusal(line):
            raise ScriptError(line, 0, f"unreachable: line {since} expects that {line.client} is refused")
        elif line.verb == "disconnect":
            self._states[line.client] = _State.DISCONNECTED, line.number

    def _unknown_client(self, line: Line) -> str:
        names = [each.client for each in self._lines if each.verb == "connect"]
        if line.client in names:
            later = next(each for each in self._lines if (each.client, each.verb) == (line.client, "connect"))
            return f"{line.client} connects only in line {later.number}"
        close = get_close_matches(line.client, names, 1)
        hint = f"; did you mean {close[0]}?" if close else f": connect it first, {line.client}: connect"
        return f"unknown client {line.client!r:.40}{hint}"

    def _check_uses(self, line: Line) -> None:
        words = [(word.text, word.start) for word in line.words]
        for text, start in [*words, (line.expression, line.expression_start)]:
            for name, at in names_in(text):
                self._check_use(line, name, start + at)

    def _check_use(self, line: Line, name: str, start: int) -> None:
        self.used.add(name)
        if name in self._values or name in self._defined or (name == PORT and self._server):
            return
        if name == _ROOM and line.verb == "join":
            return
        later = next((each for each in self._lines if name in each.names), None)
        if later is not None:
            raise ScriptError(line, start, f"{{{name}}} is defined only in line {later.number}")
        raise ScriptError(
            line, start, f"unknown name {{{name}}}: define it by `as {name}=…` or --set {name}=…"
        )

    def _define(self, line: Line) -> None:
        for name in line.names:
            if name in self._values or name == PORT:
                raise ScriptError(line, line.names_start, f"{name} is defined already")
            self._defined[name] = line

    def check_names(self) -> None:
        """Check that every name is used. Raises: ScriptError."""
        for name, line in self._defined.items():
            if name not in self.used:
                raise ScriptError(line, line.names_start, f"{{{name}}} is never used")

    @property
    def _samples(self) -> dict[str, Json]:
        """A value for every name, to check a line before the real ones are known."""
        return dict.fromkeys((*self._defined, PORT), _PLACEHOLDER) | dict(self._values)

    def _check_words(self, index: int, line: Line) -> None:
        words = [fill_word(text, self._samples, line.verb not in TAKES_ARGUMENTS) for text in line.texts]
        try:
            check_files(parse_words(line.verb, words))
        except UsageError as error:
            start = line.words[0].start if line.words else line.start
            raise ScriptError(line, start, str(error).partition(" (see")[0].rstrip(",: ")) from None
        following = self._following(index)
        if line.verb in _REFUSABLE and following is not None and is_refusal(following):
            self.refusals.add(index)
            if line.verb == "connect":
                self._states[line.client] = _State.REFUSED, following.number

    def _following(self, index: int) -> Line | None:
        """Return the next line of the same client, or None."""
        client = self._lines[index].client
        return next((line for line in self._lines[index + 1 :] if line.client == client), None)

    def _check_expectation(self, index: int, line: Line) -> None:
        if is_refusal(line):
            self._check_refusal(index, line)
            return
        if line.verb == "never" and line.seconds is None:
            raise ScriptError(line, line.start, "never needs a time, such as for 500ms")
        try:
            parse(fill_expression(line.expression, self._samples))
        except FilterError as error:
            raise ScriptError(line, line.expression_start + error.column - 1, error.reason) from None

    def _check_refusal(self, index: int, line: Line) -> None:
        before = [at for at in range(index) if self._lines[at].client == line.client]
        if not before or before[-1] not in self.refusals:
            raise ScriptError(
                line, line.start, f"expect {REFUSED} follows a {', '.join(_REFUSABLE)} of its client"
            )
        if len(line.words) > 2:
            raise ScriptError(line, line.words[2].start, "unexpected word: quote the message")

    def _check_wait(self, _index: int, line: Line) -> None:
        try:
            (text,) = line.texts
            parse_duration("the time", text)
        except (ValueError, UsageError):
            raise ScriptError(line, line.start, "write it as wait 200ms or wait 1.5s") from None

    def _check_nothing(self, _index: int, line: Line) -> None:
        if line.words:
            raise ScriptError(line, line.words[0].start, f"{line.verb} takes no arguments")

    def _check_server(self, line: Line) -> None:
        """Check a line of the scenario's own server: its command, or start, stop and kill."""
        is_signal = line.verb in _SIGNALS and not line.words
        if not is_signal and self._server:
            raise ScriptError(line, line.start, "a scenario has one server: start, stop or kill it")
        if is_signal and not self._server:
            raise ScriptError(line, line.start, "first the command of the server, as server: node app.js")
        runs = self._server not in ("stop", "kill")
        if is_signal and runs is (line.verb == "start"):
            raise ScriptError(line, line.start, f"the server {'runs' if runs else 'does not run'} here")
        self._server = line.verb if is_signal else "start"
        self._check_uses(line)


def check_values(scripts: Sequence[Script], names: Iterable[str]) -> None:
    """Check that each name of --set is used. Raises: UsageError."""
    used = {name for script in scripts for name in script.used}
    if unused := [name for name in names if name not in used]:
        raise UsageError(f"--set {unused[0]}: no scenario uses {{{unused[0]}}}")


def is_refusal(line: Line) -> bool:
    """Return whether a line expects that the one before it was refused."""
    return line.verb == "expect" and line.texts[:1] == [REFUSED]


def name_of(file: Path) -> str:
    """Return the name of the scenario in a file: its path from the current folder, without the suffix."""
    path = Path(os.path.relpath(file.with_suffix("")))
    return "/".join(part for part in path.parts if part != os.pardir)


def find_files(paths: Sequence[str]) -> list[Path]:
    """Return the scenarios that files and folders name, those of a folder sorted; `_….nsroom` is for include.

    Raises: UsageError.
    """
    files: list[Path] = []
    for path in map(Path, paths or ["."]):
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(each for each in path.rglob(f"*{SUFFIX}") if not each.name.startswith("_"))
        if not found:
            raise UsageError(f"no scenarios (*{SUFFIX}) in {path}")
        files += found
    return list(dict.fromkeys(files))
