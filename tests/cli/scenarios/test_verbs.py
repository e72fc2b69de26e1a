"""The words of each verb, parsed as the command of its name parses them."""

from typing import Any

import pytest

from nsroom.cli.event_options import EmitOptions
from nsroom.client.presets import Convention
from nsroom.errors import UsageError
from nsroom.scenarios.verbs import Call, Join, Leave, Reply, Send, check_files, parse_words


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("join lobby ops --join-preset room", Join(("lobby", "ops"), Convention("room"))),
        ("leave lobby", Leave(("lobby",))),
        ("emit /chat x a=1 -5", Send("/chat", "x", ("a=1", "-5"), EmitOptions())),
        ("emit x -t 5 --timeout 1", Send("", "x", ("5",), EmitOptions(text=True, timeout=1.0))),
        ("call x --fail arg.0=1 --error-first", Call("", "x", (), EmitOptions(), "arg.0=1", True)),
        ("reply ask 1 -t", Reply("ask", ("1",), True)),
    ],
)
def test_words(line: str, said: Any) -> None:
    verb, *words = line.split()
    assert parse_words(verb, words) == said


def test_connecting_has_the_options_of_every_command() -> None:
    said = parse_words("connect", ["/chat", ":3000", "--transport", "polling", "-a", "token=1"])
    assert (said.targets, said.options.transport, said.options.auth) == (
        ("/chat", ":3000"),
        "polling",
        ["token=1"],
    )
    assert said.options.given == {"transport", "auth"}


@pytest.mark.parametrize(
    "line", ["emit x @/no/file", "reply x a=@/no/file", "connect -a @/no/file", "call x --fail ="]
)
def test_files_and_filters_are_checked(line: str) -> None:
    verb, *words = line.split()
    with pytest.raises(UsageError):
        check_files(parse_words(verb, words))
