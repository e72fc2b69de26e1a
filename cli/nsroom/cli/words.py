"""Sort the words of a command line into options and arguments, as typer's parser does.

Unlike that parser it keeps where each word stood, so that a message can show the corrected line, and it
takes a word such as -5 as an argument: options do not start with a digit.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

_NUMBER = re.compile(r"-\.?[0-9][0-9.eE+-]*")

Options = Mapping[str, bool]
"""The names of a command's options, and whether each takes a value."""


class UnknownOptionError(Exception):
    """The option `name` in the word at `index` is unknown."""

    def __init__(self, name: str, index: int) -> None:
        super().__init__(name)
        self.name = name
        self.index = index


class MissingValueError(Exception):
    """The option `name` takes a value, but is the last word, or a long option follows."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Words(NamedTuple):
    """The words of a command line."""

    options: list[str]
    """The options and their values."""
    values: dict[str, str]
    """The last value of each option that takes one."""
    arguments: list[int]
    """The index of each word that is an argument."""
    literal: int
    """The index from which all words are arguments, because they follow `--`; or the number of words."""


def value_options(options: Mapping[str, Any]) -> Options:
    """Return the names of typer's options, and whether each takes a value."""
    return {name: not getattr(option, "is_flag", False) for name, option in options.items()}


def is_number(word: str) -> bool:
    """Return whether a word that starts with a dash is a number."""
    return _NUMBER.fullmatch(word) is not None


def sort(args: Sequence[str], options: Options, is_argument: Callable[[str], bool] = is_number) -> Words:
    """Return the sorted words; `is_argument` tells which words with a dash are arguments.

    Raises: UnknownOptionError, MissingValueError.
    """
    words = Words([], {}, [], len(args))
    index = 0
    while index < len(args):
        word = args[index]
        if word == "--":
            return words._replace(arguments=[*words.arguments, *range(index + 1, len(args))], literal=index)
        if not word.startswith("-") or word == "-" or is_argument(word):
            words.arguments.append(index)
            index += 1
            continue
        count = _read_option(args, index, options, words)
        words.options.extend(args[index : index + count])
        index += count
    return words


def _read_option(args: Sequence[str], index: int, options: Options, words: Words) -> int:
    """Return how many words the option at `index` takes, one or two, and note its value."""
    name, value = _parse(args[index], index, options)
    if name is None:
        return 1
    count = 1
    if value is None:
        if index + 1 == len(args) or _is_long_option(args[index + 1], options):
            raise MissingValueError(name)
        value, count = args[index + 1], 2
    words.values[name] = value
    return count


def _is_long_option(word: str, options: Options) -> bool:
    return word.startswith("--") and word.partition("=")[0] in options


def _parse(word: str, index: int, options: Options) -> tuple[str | None, str | None]:
    """Return the option in a word that takes a value, if any, and the value if it is in the word too."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        if name not in options:
            raise UnknownOptionError(name, index)
        return (name, value if equals else None) if options[name] else (None, None)
    for place, letter in enumerate(word[1:], 2):
        name = f"-{letter}"
        if name not in options:
            raise UnknownOptionError(name if place == 2 else word, index)
        if options[name]:
            return name, word[place:] or None
    return None, None
