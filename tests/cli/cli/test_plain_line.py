"""Lines that are read without typer: what typer makes of them, and only if they have no mistake."""

from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from inspect import signature
from itertools import chain
from typing import Any
from unittest.mock import call, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from nsroom.cli.app import build
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.plain_line import Line, read
from nsroom.errors import NsroomError
from nsroom.main import PLAIN
from nsroom.output.stdio import Verbosity

FUNCTIONS: dict[str, Callable[..., None]] = {
    name: getattr(import_module(f"nsroom.commands.{name}"), name) for name in PLAIN
}
TARGETS = ["", "/chat", ":3001/chat", "http://x/y"]
WORDS = [
    "say",
    "hi",
    "1.5",
    "0",
    "007",
    "1e3",
    "a=b",
    "k:=[1]",
    "@f",
    "{}",
    "/chat",
    "-",
    "é",
    "localhost",
    "x:1",
]
VALUES = ["5", "0", "0.001", "1e3", "a=b", "-", "-5", "--json", "", "/chat", "polling", "3", "utc", "dark"]
ODD = ["--", "-tk", "-v", "-q", "-h", "--transport", "--url=", "-u=1", "-uX", "--json=1", "--no", "--count=2"]


@cache
def options(name: str) -> tuple[list[str], list[str]]:
    """Return the names of a command's options: of those without a value, and of those with one."""
    params = [each for each in application(name)[0].commands[name].params if each.param_type_name == "option"]
    flags = [opt for each in params for opt in each.opts if each.is_flag and each.name != "help"]
    return flags, [opt for each in params for opt in each.opts if not each.is_flag]


def lines(name: str) -> st.SearchStrategy[tuple[str, list[str]]]:
    """Return a strategy of lines, many of which are plain."""
    flags, valued = options(name)
    option = st.tuples(st.sampled_from(valued), st.sampled_from(VALUES)).flatmap(
        lambda pair: st.sampled_from([list(pair), ["=".join(pair)]])
    )
    parts = st.tuples(
        st.sampled_from(TARGETS).map(lambda target: [target] if target else []),
        st.lists(st.sampled_from(WORDS), max_size=2),
        st.lists(st.sampled_from(flags), max_size=1),
        st.lists(option, max_size=2).map(lambda each: [*chain(*each)]),
        st.lists(st.sampled_from(ODD), max_size=1) | st.just([]),
    )
    return parts.flatmap(st.permutations).map(lambda each: (name, [*chain(*each)]))


@cache
def application(name: str) -> tuple[Any, list[dict[str, Any]]]:
    """Return a command as typer reads it, and the list of what it received."""
    received: list[dict[str, Any]] = []

    @wraps(FUNCTIONS[name])
    def record(**given: Any) -> None:
        received.append(given)

    with patch(f"nsroom.commands.{name}.{name}", record):
        return get_command(build({"": [name]})), received


def by_typer(name: str, words: list[str]) -> Line | None:
    """Return what typer reads, or None for a mistake."""
    group, received = application(name)
    received.clear()
    with (
        patch("nsroom.cli.common_options.set_verbosity") as verbosity,
        patch("nsroom.cli.common_options.choose_colour"),
    ):
        try:
            group.main([name, *words], prog_name="nsroom", standalone_mode=False)
        except (NsroomError, Exception):  # noqa: BLE001 - typer's have no common class
            return None
    return Line(received[0], call(Verbosity.QUIET) in verbosity.mock_calls) if received else None


def with_defaults(name: str, line: Line) -> Line:
    """Return a line with the parameters that were omitted."""
    bound = signature(FUNCTIONS[name]).bind(**line.parameters)
    bound.apply_defaults()
    return line._replace(parameters=dict(bound.arguments))


@given(st.sampled_from(PLAIN).flatmap(lines))
def test_a_plain_line_is_read_as_typer_reads_it(case: tuple[str, list[str]]) -> None:
    name, words = case
    plain = read(FUNCTIONS[name], words)
    if plain is not None:
        assert with_defaults(name, plain) == by_typer(name, words)


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"{name} {line}"
            for name in ("emit", "call")
            for line in (
                "say",
                "say hello 1 {} a=b",
                "-u http://localhost:3000 say hello",
                "/chat say hello --timeout 2.5",
                ":3001/chat say -n /a -n /b --url=:1 -t",
                "- -k",
                "say -",
                "say -a - -u :1 --json",
                "order.created 1",
                "-H a:b say --query=a=b=c --to x --to y --except z --connect-timeout 3",
            )
        ),
        "connect",
        "connect -q -u http://localhost:3000 --json -C 100 -W 60 --transport websocket --parser msgpack",
        "connect /a :3000/b --plain --time utc --theme dark --reply a=1 --reply b --protocol 4",
        "join lobby",
        "join /chat lobby ops --as ann --via auto",
        "tail --all --quiet --where event=a",
        "tail /a http://x/b",
        "rooms",
        "rooms :3000 lobby --watch",
        "sockets --json /chat",
        "decode",
        "decode - --json",
        'decode 42["a"]',
        "decode -f 2 --frame=3",
        "replay chat.ndjson --speed 0 --direction all",
        "replay /tmp/chat.ndjson",
        "replay - /chat --map --expect --ignore id --ignore=at",
    ],
)
def test_a_plain_line(line: str) -> None:
    name, *words = line.split()
    plain = read(FUNCTIONS[name], words)
    assert plain is not None
    assert with_defaults(name, plain) == by_typer(name, words)


def test_the_options_on_the_line_are_known() -> None:
    plain = read(FUNCTIONS["emit"], ["say", "-u", ":1", "--insecure"])
    assert plain is not None
    assert plain.parameters["connection"] == ConnectionOptions(
        url=":1", insecure=True, given=frozenset(["url", "insecure"])
    )


@pytest.mark.parametrize(
    "line",
    [
        "emit",
        "emit /chat",
        "emit --help",
        "emit say --nope",
        "emit say -u",
        "emit say -u --ack",
        "emit say -- -x",
        "emit say -5",
        "emit say -tk",
        "emit say --timeout 0",
        "emit say --timeout 1e3",
        "emit say --transport nope",
        "emit say -v",
        "emit localhost:3000 say",
        "emit /a /b",
        "emit say --ack=yes",
        "connect chat",
        "connect localhost:3000",
        "connect -C 0",
        "connect -C 1.5",
        "join",
        "join /chat",
        "join lobby /chat",
        "rooms a b",
        "decode a b",
        "replay",
        "replay :3001 chat.ndjson",
        "replay chat.ndjson other.ndjson",
        "replay chat.ndjson --direction up",
    ],
)
def test_other_lines_are_left_to_typer(line: str) -> None:
    name, *words = line.split()
    assert read(FUNCTIONS[name], words) is None
