"""Explain a mistake on a command line, with the line that was probably meant."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from nsroom.cli import configuration
from nsroom.cli.masking import masked_line
from nsroom.cli.words import MissingValueError, UnknownOptionError, Words, is_number, sort, value_options
from nsroom.client.target import is_host, is_misplaced, is_target, masked
from nsroom.errors import UsageError

_OTHER_TOOLS = {
    "--token": "-a token={}",
    "--no-color": "--color never",
    "--no-colour": "--color never",
    "--nocolor": "--color never",
    "--colour": "--color {}",
    "--server": "-u {}",
    "--host": "-u {}",
    "--connect": "-u {}",
    "-c": "-u {}",
    "--port": "-u :{}",
    "-p": "-u :{}",
    "--ns": "-n {}",
    "--headers": "-H {}",
    "--origin": "-H Origin:{}",
    "--cookies": "--cookie {}",
    "--verify": "-k",
    "--no-verify": "-k",
    "--no-check": "-k",
    "--cacerts": "--cacert {}",
    "--ca": "--cacert {}",
    "--silent": "-q",
    "-s": "-q",
    "--filter": "--where {}",
    "--grep": "--where {}",
    "--limit": "-C {}",
    "--max": "-C {}",
    "--timeout": "-W {}",
    "--max-time": "-W {}",
    "-w": "-W {}",
    "--duration": "--for {}",
    "--output": "--save {}",
    "-o": "--save {}",
    "--record": "--save {}",
    "--nick": "--as {}",
    "--name": "--as {}",
    "--user": "--as {}",
    "--data": "-t {}",
    "-d": "-t {}",
    "--message": "-t {}",
    "-m": "-t {}",
}
"""Options of other tools, and ours; {} is the value. An option that the command lacks is not offered."""
_REMARK = re.compile(r" {2,}.*")
_UNITS = {"SECONDS": "a number of seconds", "FACTOR": "a number"}


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The mistakes that one command line can have."""

    command: str
    args: Sequence[str]
    options: Mapping[str, Any]
    """The options by each of their names."""
    arguments: Sequence[Any]
    help: str

    def unknown_option(self, name: str, index: int) -> UsageError:
        """Return the error for an option that the command does not have."""
        word, _, value = self.args[index].partition("=")
        before, after = self.args[:index], self.args[index + 1 :]
        if self.command == "replay" and name == "--view":
            return UsageError("to view a recording use `show`", _line("show", [*before, *after]))
        if found := self._of_other_tools(name, word == name, value, before, after):
            return UsageError(f"unknown option {name}: use {found[0]}", self._line(found[1]))
        if close := get_close_matches(name, self.options, 1, 0.7):
            corrected = [*before, close[0] + self.args[index][len(name) :], *after]
            return UsageError(f"unknown option {name}: did you mean {close[0]}?", self._line(corrected))
        text = f"unknown option {name} (see `nsroom {self.command} --help`)"
        if not self._takes_text():
            return UsageError(text)
        text = f"{text}; put -- before arguments that start with a dash"
        return UsageError(text, *self._with_dashes(self.args[index]))

    def _line(self, args: Sequence[str]) -> str:
        return _line(self.command, args)

    def _of_other_tools(
        self, name: str, whole: bool, value: str, before: Sequence[str], after: Sequence[str]
    ) -> tuple[str, list[str]] | None:
        """Return our option for another tool's, and the corrected words."""
        template = _OTHER_TOOLS.get(name, "").split()
        if not template or template[0] not in self.options or not whole:
            return None
        if "{}" in template[-1] and not value:
            if not after:
                return None
            value, after = after[0], after[1:]
        ours = [part.replace("{}", value) for part in template]
        return masked_line(ours), [*before, *ours, *after]

    def _takes_text(self) -> bool:
        return any(each.name == "args" for each in self.arguments)

    def _with_dashes(self, word: str) -> list[str]:
        """Return the line with `--` before its arguments, of which `word` is one, or [] if it has none."""
        try:
            words = sort(self.args, value_options(self.options), lambda each: each == word or is_number(each))
        except (MissingValueError, UnknownOptionError):
            return []
        texts = [self.args[index] for index in words.arguments]
        target = texts[: bool(texts and is_target(texts[0]))]
        return [self._line([*target, *words.options, "--", *texts[len(target) :]])]

    def missing_value(self, name: str) -> UsageError:
        """Return the error for an option that takes a value and has none."""
        return UsageError(f"{name} needs a value: {name} {_metavar(self.options[name])}")

    def invalid(self, error: Any, words: Words) -> UsageError:
        """Return the error for an option with a wrong value."""
        param = getattr(error, "param", None)
        if param is None or not getattr(param, "opts", None):
            return UsageError(f"{lower(error.format_message())} (see `nsroom {self.command} --help`)")
        name = next((each for each in param.opts if each in words.values), param.opts[-1])
        value = words.values.get(name)
        given = f" {masked(value)!r:.80}" if isinstance(value, str) else ""
        return UsageError(f"{name}{given}: {_expected(param)}")

    def check_after_target(self, words: Words, leads: bool) -> None:
        """Check the arguments after an optional target. Raises: UsageError for a target among them."""
        taking = self.arguments[1:]
        for place, index in enumerate(words.arguments[leads:]):
            param = taking[min(place, len(taking) - 1)]
            if index >= words.literal or param.name == "args":
                return
            if is_misplaced(self.args[index]):
                raise self._misplaced(words, index, leads, _metavar(param))

    def _misplaced(self, words: Words, index: int, leads: bool, what: str) -> UsageError:
        word, rest = self.args[index], [*self.args[:index], *self.args[index + 1 :]]
        first = words.arguments[0]
        if leads and (one := join(self.args[first], word)):
            rest[first] = one
            text = f"name the server and the namespace in one word: {masked(one)}"
            return UsageError(text, self._line(rest))
        if leads:
            text = f"two targets, {masked(self.args[first])} and {masked(word)}: name one"
            return UsageError(text, self._line(rest))
        if is_target(word):
            return UsageError(f"the target {masked(word)} comes before {what}", self._line([word, *rest]))
        return UsageError(
            f"{masked(word)} would be {what} here: name a host with -u, or put -- before {what}",
            self._line([*rest, "-u", word]),
        )

    def check_targets(self, words: Words) -> None:
        """Check arguments that can only be targets. Raises: UsageError for other words."""
        for index in words.arguments:
            word = self.args[index]
            if is_target(word) or (is_host(word) and not _is_recording(word)):
                continue
            configured = configuration.load()
            if configured.server_of(word):
                continue
            if close := configured.nearest(word):
                line = [close if each == index else text for each, text in enumerate(self.args)]
                raise UsageError(f"unknown server {word!r}; did you mean {close}?", self._line(line))
            if word == "help":
                raise UsageError("for help put `help` first", f"nsroom help {self.command}")
            if _is_recording(word):
                raise UsageError(f"{word} is a file: open it with `show`", _line("show", [word]))
            raise self._no_target(words, index, f"/{word}")

    def _no_target(self, words: Words, index: int, namespace: str) -> UsageError:
        word, rest = self.args[index], [*self.args]
        first = words.arguments[0]
        if first < index and (one := join(self.args[first], namespace)):
            rest[first] = one
            del rest[index]
        else:
            rest[index] = one = namespace
        return UsageError(
            f"{masked(word)!r} is neither a namespace like /chat nor a host nor a URL;"
            f" did you mean {masked(one)}?",
            self._line(rest),
        )

    def check_count(self, words: Words, texts: Sequence[str]) -> None:
        """Check the number of arguments. Raises: UsageError for too many or too few."""
        if len(texts) < len(self.arguments) and self.arguments[len(texts)].required:
            raise self._missing(_metavar(self.arguments[len(texts)]), [text for text in texts if text])
        if len(texts) > len(self.arguments) and not any(each.nargs == -1 for each in self.arguments):
            raise self._unexpected(words, len(texts) - len(self.arguments))

    def _missing(self, what: str, given: Sequence[str]) -> UsageError:
        article = "an" if what[0] in "AEIO" else "a"
        example = shlex.split(_REMARK.sub("", self.help.partition("Examples:")[2].strip().split("\n")[0]))
        line = self._line([*given, *example[2:]])
        return UsageError(f"{self.command} needs {article} {what}, for example:", line)

    def _unexpected(self, words: Words, count: int) -> UsageError:
        extra = words.arguments[-count:]
        word = self.args[extra[0]]
        rest = [each for index, each in enumerate(self.args) if index not in extra]
        if is_target(word) and self.arguments and self.arguments[0].name == "target":
            one = join(self.args[words.arguments[0]], word)
            rest = [one or word, *(rest[1:] if one else rest)]
            return UsageError(f"one target, before everything else: {masked(one or word)}", self._line(rest))
        if self.command == "demo" and (is_target(word) or is_host(word)):
            text = "demo starts a server of its own; to watch another one use `connect`"
            return UsageError(text, _line("connect", [word]))
        return UsageError(f"unexpected argument {masked(word)!r:.80}", self._line(rest))


def join(one: str, other: str) -> str | None:
    """Return a server and a namespace as one target, or None if they are not one of each."""
    server, namespace = (other, one) if one.startswith("/") else (one, other)
    if server.startswith("/") or not namespace.startswith("/"):
        return None
    has_path = "/" in server.partition("://")[2].rstrip("/") or ("://" not in server and "/" in server)
    return None if has_path or "?" in server else server.rstrip("/") + namespace


def _is_recording(word: str) -> bool:
    return word.endswith((".ndjson", ".jsonl", ".json", ".har"))


def _expected(param: Any) -> str:
    """Return what the value of an option must be."""
    kind = param.type
    if choices := getattr(kind, "choices", None):
        names = [str(getattr(each, "value", each)) for each in choices]
        return f"choose {', '.join(names[:-1])} or {names[-1]}"
    unit = _UNITS.get(param.metavar, "a whole number" if "int" in kind.name else "a number")
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is not None and high is not None:
        return f"must be {unit} from {low:g} to {high:g}"
    return f"must be {unit}" + (f", at least {low:g}" if low is not None else "")


def _metavar(param: Any) -> str:
    return str(param.metavar or param.name).upper().strip("[].")


def _line(command: str, args: Sequence[str]) -> str:
    return masked_line(["nsroom", command, *args])


def lower(text: str) -> str:
    """Return a sentence of the command-line library in the form of our messages."""
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]
