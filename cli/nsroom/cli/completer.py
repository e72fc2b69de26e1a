"""Complete the last word of a command line: the scripts of the shells ask with `_NSROOM_COMPLETE` set."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from nsroom.cli import configuration, last_session
from nsroom.cli.common_options import leading
from nsroom.cli.words import value_options
from nsroom.errors import NsroomError

FILES = ":files"
"""The answer that asks the shell for its own completion of file names."""
_NAMESPACES = ("/", "/my-namespace", "/chat", "/lab")
_OPERATORS = "&|!("


class Candidate(NamedTuple):
    """A word that can replace the last one, and what it means."""

    word: str
    help: str = ""


def answer(words: Sequence[str], commands: Sequence[str]) -> str:
    """Return one line for each candidate, `WORD<TAB>HELP`, for the last of the words after `nsroom`.

    The words may be anything: an error is an empty answer.
    """
    try:
        found = list(candidates(words or [""], commands))
    except (NsroomError, ValueError, OSError):
        return ""
    return "".join(f"{each.word}\t{' '.join(each.help.split())}\n" for each in found)


def candidates(words: Sequence[str], commands: Sequence[str]) -> Iterator[Candidate]:
    """Yield the candidates for the last word."""
    *before, last = words
    before = before[leading(before) :]
    if before and before[0] == "help" and not last.startswith("-"):
        yield from _matching(map(Candidate, commands), last)
    elif before and before[0] in commands:
        yield from _after_command(before[0], before[1:], last)
    elif not before:
        yield from _commands(last, commands)
        if last and not last.startswith("-"):
            yield from _matching(_targets(), last)


def _commands(last: str, commands: Sequence[str]) -> Iterator[Candidate]:
    group = _tree(commands)
    if last.startswith("-"):
        yield from _options(group, last)
        return
    for name in commands:
        if name.startswith(last):
            yield Candidate(name, _summary(group.commands[name]))


def _summary(command: Any) -> str:
    """Return the first sentence of a help text, whole."""
    return str(command.help).strip().partition("\n")[0]


def _after_command(name: str, before: Sequence[str], last: str) -> Iterator[Candidate]:
    command = _tree([name]).commands[name]
    options = {each: param for param in command.params for each in getattr(param, "opts", ())}
    option, equals, value = last.partition("=")
    if last.startswith("--") and equals and option in options:
        for each in _values(command, options[option], value):
            yield Candidate(f"{option}={each.word}", each.help)
    elif before and value_options(options).get(before[-1]):
        yield from _values(command, options[before[-1]], last)
    elif last.startswith("-"):
        yield from _options(command, last)
    else:
        yield from _arguments(command, [word for word in before if not word.startswith("-")], last)


def _arguments(command: Any, before: Sequence[str], last: str) -> Iterator[Candidate]:
    """Yield a file for an argument that is one, and targets where a word can be one."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if arguments and takes_file(arguments[0]):
        if len(before) < len(arguments) and takes_file(arguments[len(before)]):
            yield Candidate(FILES)
        return
    is_alone = len(arguments) == 1 and arguments[0].name in ("target", "targets")
    if is_alone or (arguments and arguments[0].name == "target" and last.startswith("/")):
        yield from _matching(_targets(), last)


def _options(command: Any, last: str) -> Iterator[Candidate]:
    for param in command.params:
        for name in getattr(param, "opts", ()):
            if name.startswith("--") and name.startswith(last):
                yield Candidate(name, param.help or "")
    if "--help".startswith(last):
        yield Candidate("--help", "Show this message and exit.")


def _values(command: Any, option: Any, last: str) -> Iterator[Candidate]:
    """Yield the values of an option."""
    source = _VALUES.get(option.opts[-1] if option.opts[-1].startswith("--") else option.opts[0])
    if source is not None:
        yield from source(last)
    elif takes_file(option):
        yield Candidate(FILES)
    else:
        import typer

        for each in option.shell_complete(typer.Context(command), last):
            yield Candidate(each.value, each.help or "")


def takes_file(param: Any) -> bool:
    """Return whether an option or an argument is a file."""
    metavar = str(param.metavar).lstrip("[")
    return metavar.startswith(("FILE", "DIR", "PATH|none")) or param.type.name == "path"


def _servers(last: str) -> Iterator[Candidate]:
    configured = configuration.load()
    names = (Candidate(name, str(configured.options(name).get("url", ""))) for name in configured.servers)
    yield from _matching(names, last)


def _namespaces(last: str) -> Iterator[Candidate]:
    servers = configuration.load().servers.values()
    named = sorted({name for values in servers for name in values.get("namespace", ())})
    found = dict.fromkeys((*_NAMESPACES, *named, *last_session.namespaces()))
    yield from _matching(map(Candidate, found), last)


def _targets() -> Iterator[Candidate]:
    yield from _servers("")
    yield from _namespaces("")


def _filters(last: str) -> Iterator[Candidate]:
    """Yield the fields for the last comparison of a filter, and the values of those that have few."""
    from nsroom.record import FIELDS, Direction, Kind

    start = max(last.rfind(each) for each in (*_OPERATORS, " ")) + 1
    head, word = last[:start], last[start:]
    field, equals, value = word.partition("=")
    known: dict[str, Sequence[str]] = {"kind": list(Kind), "dir": list(Direction), "ns": _NAMESPACES}
    if equals:
        words = [f"{field}={each}" for each in known.get(field, ()) if each.startswith(value)]
    else:
        names = dict.fromkeys(("ns", "dir", "rtt", "arg.0", *(each for each in FIELDS if each != "args")))
        words = [f"{name}=" for name in names if name.startswith(word)]
    yield from (Candidate(head + each) for each in words)


def _colours(last: str) -> Iterator[Candidate]:
    yield from _matching(map(Candidate, ("auto", "always", "never")), last)


_VALUES: dict[str, Callable[[str], Iterator[Candidate]]] = {
    "--url": _servers,
    "--namespace": _namespaces,
    "--where": _filters,
    "--fault-where": _filters,
    "--fail": _filters,
    "--color": _colours,
}


def _matching(found: Any, last: str) -> Iterator[Candidate]:
    yield from (each for each in found if each.word.startswith(last))


def _tree(names: Sequence[str]) -> Any:
    import typer

    from nsroom.cli.app import build

    return typer.main.get_command(build({"": names}))
