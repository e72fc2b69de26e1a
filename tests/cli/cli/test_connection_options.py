"""The connection options, and the target they make."""

import io
import sys

import pytest
import typer
from typer.testing import CliRunner

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.client.target import Target, Transport
from nsroom.errors import UsageError


def parsed(*args: str) -> ConnectionOptions:
    """Return the options of a command line."""
    received: list[ConnectionOptions] = []

    @expand
    def command(*, connection: ConnectionOptions) -> None:
        received.append(connection)

    app = typer.Typer(rich_markup_mode=None)
    app.command()(command)
    assert CliRunner().invoke(app, args).exit_code == 0
    return received[0]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of the person who runs the tests."""
    for name in ("NSROOM_URL", "NSROOM_AUTH"):
        monkeypatch.delenv(name, raising=False)


def test_without_options_it_is_the_default_target() -> None:
    assert ConnectionOptions().target() == Target()


def test_a_preset_sets_path_and_query_unless_an_option_does() -> None:
    assert parsed("--preset", "nicegui").target() == Target(path="/_nicegui_ws/socket.io/")
    assert parsed("--preset", "nicegui", "--path", "/x/").target().path == "/x/"
    query = parsed("--preset", "sails", "--query", "__sails_io_sdk_version=2").target().query
    assert dict(query)["__sails_io_sdk_version"] == "2"
    assert dict(query)["__sails_io_sdk_platform"] == "node"


def test_the_url_of_a_request_sets_options_unless_they_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    url = "ws://h/api/?EIO=4&transport=websocket&sid=abc&token=s3cret"
    target = parsed().target(url)
    assert (target.url, target.namespaces, target.path) == ("http://h", ("/",), "/api/")
    assert (target.transport, target.protocol, target.query) == ("websocket", "4", (("token", "s3cret"),))
    line = "taken as --path /api/ --transport websocket --protocol 4 --query token=… and a new session"
    error = capsys.readouterr().err
    assert line in error
    assert "s3cret" not in error
    assert len(error.splitlines()) == 1
    target = parsed("--path", "/x/", "--transport", "polling", "--query", "a=1", "-n", "/chat").target(url)
    assert (target.path, target.transport, target.namespaces) == ("/x/", "polling", ("/chat",))
    assert target.query == (("token", "s3cret"), ("a", "1"))


def test_the_query_of_a_namespaces_url_goes_with_the_handshake(capsys: pytest.CaptureFixture[str]) -> None:
    target = parsed().target("https://h/chat?token=1")
    assert (target.namespaces, target.query, target.path) == (("/chat",), (("token", "1"),), "/socket.io/")
    assert not capsys.readouterr().err


def test_every_option_is_part_of_the_target() -> None:
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
    assert options.target("/first") == Target(
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
def test_an_invalid_path(path: str) -> None:
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
def test_auth_from_the_environment(text: str, auth: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one value, not words: typer would split it at its blanks."""
    monkeypatch.setenv("NSROOM_AUTH", text)
    assert parsed().target().auth == auth
    assert parsed("-a", "token=mine").target().auth == {"token": "mine"}


def test_auth_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"token": "piped"}\n'))
    assert ConnectionOptions(auth=["a=1", "-"]).target().auth == {"a": "1", "token": "piped"}


@pytest.mark.parametrize(
    ("options", "target", "named"),
    [
        (ConnectionOptions(), [], ()),
        (ConnectionOptions(namespace=["/"]), [], ("/",)),
        (ConnectionOptions(), ["/"], ("/",)),
        (ConnectionOptions(), ["http://localhost:3000/"], ()),
        (ConnectionOptions(), ["/chat"], ("/chat",)),
        (ConnectionOptions(namespace=["/a"]), ["/chat"], ("/chat", "/a")),
    ],
)
def test_the_namespaces_that_the_user_named(
    options: ConnectionOptions, target: list[str], named: tuple[str, ...]
) -> None:
    assert options.named(options.target(*target), *target) == named
