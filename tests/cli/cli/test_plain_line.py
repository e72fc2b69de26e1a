"""Lines that are read without typer: what typer makes of them, and only if they have no mistake."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from inspect import signature
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from nsroom.cli.app import build
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.plain_line import read
from nsroom.commands import call, emit
from nsroom.errors import NsroomError
from nsroom.main import PLAIN

FUNCTIONS: dict[str, Callable[..., None]] = {"emit": emit.emit, "call": call.call}
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
FLAGS = ["-t", "--text", "-k", "--insecure", "--no-reconnect", "--json"]
OPTIONS = ["-u", "--url", "-n", "-a", "-H", "--query", "--to", "--room", "--except", "--path", "--timeout"]
VALUES = ["5", "0", "0.001", "1e3", "a=b", "-", "-5", "--json", "", "/chat"]
ODD = [
    "--",
    "-tk",
    "-q",
    "-h",
    "--timeout=3",
    "--transport",
    "--url=:1",
    "--url=",
    "-u=1",
    "-uX",
    "--json=1",
    "--no",
]
LINES = st.tuples(
    st.sampled_from(TARGETS).map(lambda target: [target] if target else []),
    st.permutations(range(4)),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
    st.lists(st.sampled_from(FLAGS), max_size=1),
    st.lists(st.tuples(st.sampled_from(OPTIONS), st.sampled_from(VALUES)), max_size=2).map(
        lambda x: sum(x, ())
    ),
    st.lists(st.sampled_from(ODD), max_size=1),
).map(lambda parts: [*parts[0], *(word for place in parts[1] for word in parts[2 + place])])


@cache
def application(name: str) -> tuple[Any, list[dict[str, Any]]]:
    """Return a command as typer reads it, and the list of what it received."""
    received: list[dict[str, Any]] = []

    @wraps(FUNCTIONS[name])
    def record(**given: Any) -> None:
        received.append(given)

    with patch(f"nsroom.commands.{name}.{name}", record):
        return get_command(build({"": [name]})), received


def by_typer(name: str, words: list[str]) -> dict[str, Any] | None:
    """Return the parameters that typer reads, or None for a mistake."""
    command, received = application(name)
    received.clear()
    with _untouched():
        try:
            command.main([name, *words], prog_name="nsroom", standalone_mode=False)
        except (NsroomError, Exception):  # noqa: BLE001 - typer's have no common class
            return None
    return received[0] if received else None


@contextmanager
def _untouched() -> Iterator[None]:
    """Keep what -q, -v and --color change."""
    with patch("nsroom.cli.common_options.set_verbosity"), patch("nsroom.cli.common_options.choose_colour"):
        yield


def with_defaults(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with those that were omitted."""
    bound = signature(FUNCTIONS[name]).bind(**given)
    bound.apply_defaults()
    return dict(bound.arguments)


@given(st.sampled_from(PLAIN), LINES)
def test_a_plain_line_is_read_as_typer_reads_it(name: str, words: list[str]) -> None:
    plain = read(FUNCTIONS[name], words)
    if plain is not None:
        assert with_defaults(name, plain) == by_typer(name, words)


@pytest.mark.parametrize(
    "line",
    [
        "say",
        "say hello 1 {} a=b",
        "-u http://localhost:3000 say hello",
        "/chat say hello --timeout 2.5",
        ":3001/chat say -n /a -n /b --url=:1 -t",
        "- -k",
        "say -",
        "say -a - -u --json",
        "order.created 1",
        "-H a:b say --query=a=b=c --to x --to y --except z --connect-timeout 3",
    ],
)
def test_a_plain_line(line: str) -> None:
    for name in PLAIN:
        plain = read(FUNCTIONS[name], line.split())
        assert plain is not None
        assert with_defaults(name, plain) == by_typer(name, line.split())


def test_the_options_on_the_line_are_known() -> None:
    plain = read(emit.emit, ["say", "-u", ":1", "--insecure"])
    assert plain is not None
    assert plain["connection"] == ConnectionOptions(
        url=":1", insecure=True, given=frozenset(["url", "insecure"])
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "/chat",
        "--help",
        "say --nope",
        "say -u",
        "say -- -x",
        "say -5",
        "say -tk",
        "say --timeout 0",
        "say --timeout 1e3",
        "say --transport polling",
        "say -q",
        "localhost:3000 say",
        "/a /b",
        "say --ack=yes",
    ],
)
def test_other_lines_are_left_to_typer(line: str) -> None:
    assert read(emit.emit, line.split()) is None
