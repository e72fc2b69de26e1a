"""Options that commands share: written once, seen by typer, checked once."""

import io
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.display_options import WatchOptions
from nsroom.cli.event_options import EmitOptions
from nsroom.cli.option_groups import expand
from nsroom.client.target import Target, Transport
from nsroom.errors import UsageError
from nsroom.record import Direction, Kind, Record


@dataclass(frozen=True, slots=True)
class Shared:
    """Options of two commands."""

    colour: Annotated[str, typer.Option("-c", "--colour", help="Which colour.")]
    size: Annotated[int, typer.Option(min=1, help="How large.")] = 3
    tag: Annotated[list[str] | None, typer.Option(help="What it is.")] = None


seen: list[Any] = []


def make() -> typer.Typer:
    """Make an application of two commands with the same options."""
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @expand
    def draw(
        shape: Annotated[str, typer.Argument(help="Which shape.")],
        *,
        options: Shared,
        fast: Annotated[bool, typer.Option("--fast", help="Quickly.")] = False,
    ) -> None:
        """Draw it."""
        seen.append((shape, options, fast))

    @app.command()
    @expand
    def paint(*, options: Shared, connection: ConnectionOptions) -> None:
        """Paint it."""
        seen.append((options, connection))

    return app


def run(*args: str) -> tuple[int, str, Any]:
    """Run a command line; give the code, the output, and what the command got."""
    seen.clear()
    result = CliRunner().invoke(make(), args)
    return result.exit_code, result.output, seen[0] if seen else None


def test_two_commands_take_the_same_options() -> None:
    assert run("draw", "circle", "-c", "red", "--fast") == (0, "", ("circle", Shared("red"), True))
    code, _, got = run("paint", "--colour", "blue", "--size", "7", "--tag", "a", "--tag", "b", "-u", ":1")
    assert code == 0
    assert got == (Shared("blue", 7, ["a", "b"]), ConnectionOptions(url=":1"))


def test_the_help_shows_them_in_their_place() -> None:
    code, text, _ = run("draw", "--help")
    assert code == 0
    options = text.partition("Options:")[2]
    order = [options.index(each) for each in ("-c, --colour", "--size", "--tag", "--fast")]
    assert order == sorted(order)
    assert "How large." in options
    assert "default: 3" in options
    assert "required" in options


@pytest.mark.parametrize(
    "args",
    [
        ("draw", "circle"),
        ("draw", "-c", "red"),
        ("draw", "circle", "-c", "red", "--size", "0"),
        ("draw", "circle", "-c", "red", "--size", "big"),
        ("paint", "-c", "red", "--fast"),
        ("paint", "-c", "red", "--transport", "pigeon"),
        ("paint", "-c", "red", "--connect-timeout", "0"),
    ],
)
def test_wrong_values_are_usage_errors(args: tuple[str, ...]) -> None:
    assert run(*args)[0] == 2
    assert seen == []


# The connection


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment."""
    for name in ("NSROOM_URL", "NSROOM_AUTH"):
        monkeypatch.delenv(name, raising=False)


def test_by_default_it_is_the_default_target() -> None:
    assert ConnectionOptions().target() == Target()


def test_all_of_it() -> None:
    options = ConnectionOptions(
        url="https://h:1",
        namespace=["/a", "b"],
        path="/x/",
        auth=["token=s"],
        header=["X-Y: z"],
        cookie=["c=1"],
        query=["q=1", "q=2"],
        transport=Transport.POLLING,
        insecure=True,
        cacert="ca.pem",
        connect_timeout=1.5,
        no_reconnect=True,
    )
    assert options.target(["/first"]) == Target(
        url="https://h:1",
        namespaces=("/first", "/a", "/b"),
        path="/x/",
        auth={"token": "s"},
        headers={"X-Y": "z"},
        cookies={"c": "1"},
        query=(("q", "1"), ("q", "2")),
        transport=Transport.POLLING,
        insecure=True,
        cacert="ca.pem",
        connect_timeout=1.5,
        reconnect=False,
    )


@pytest.mark.parametrize("path", ["", "/", "//", "/a\nb/"])
def test_a_path_that_is_none(path: str) -> None:
    with pytest.raises(UsageError, match="--path"):
        ConnectionOptions(path=path).target()


@pytest.mark.parametrize(
    ("text", "auth"),
    [
        ("token=a b", {"token": "a b"}),
        ('{"token": "a b", "n": 1}', {"token": "a b", "n": 1}),
        ("", None),
    ],
)
def test_auth_may_come_from_the_environment(text: str, auth: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one value, not words: typer would split it at its spaces."""
    monkeypatch.setenv("NSROOM_AUTH", text)
    code, _, (_, connection) = run("paint", "-c", "red")
    assert code == 0
    assert connection.target().auth == auth
    _, _, (_, connection) = run("paint", "-c", "red", "-a", "token=mine")
    assert connection.target().auth == {"token": "mine"}


def test_auth_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"token": "piped"}\n'))
    assert ConnectionOptions(auth=["a=1", "-"]).target().auth == {"a": "1", "token": "piped"}


# What to watch


def record(direction: Direction, kind: Kind, event: str | None = None) -> Record:
    return Record(0, 1, direction, kind, "/", None, event, [])


HEARD = record(Direction.IN, Kind.EVENT, "hi")
SAID = record(Direction.OUT, Kind.EVENT, "hi")
ACK = record(Direction.IN, Kind.ACK, "hi")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (WatchOptions(), [HEARD]),
        (WatchOptions(where="event=hi"), [HEARD]),
        (WatchOptions(where="event=other"), []),
        (WatchOptions(all=True), [HEARD, SAID, ACK]),
        (WatchOptions(all=True, where="event=hi & dir=out"), [SAID]),
        (WatchOptions(where="dir=out"), [SAID]),
        (WatchOptions(where="kind=ack"), [ACK]),
        (WatchOptions(where="!kind=ack"), [HEARD, SAID]),
    ],
)
def test_received_events_are_shown_unless_more_is_asked_for(
    options: WatchOptions, kept: list[Record]
) -> None:
    keep = options.keep()
    assert [each for each in (HEARD, SAID, ACK) if keep is None or keep(each)] == kept


def test_a_bad_filter_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        WatchOptions(where="event=").keep()


# What to emit


def test_the_words_make_an_event() -> None:
    assert EmitOptions().emit("e", ["1", "a=b"], "/n") == ("/n", "e", [1, {"a": "b"}])
    assert EmitOptions(text=True).emit("e", ["1"], "/n") == ("/n", "e", ["1"])
    assert EmitOptions(room=["r"], skip=["s"]).emit("e", ["1"], "/n") == (
        "/n",
        "emit",
        [{"event": "e", "args": [1], "to": ["r"], "except": ["s"]}],
    )


def test_leaving_out_needs_a_room() -> None:
    with pytest.raises(UsageError, match="--except needs --room"):
        EmitOptions(skip=["s"]).emit("e", [], "/")
