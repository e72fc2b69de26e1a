"""Lines that explain a refusal name the option that lets the client in, and stay short."""

from logging import WARNING, LogRecord

import pytest

from nsroom_server.errors import Code
from nsroom_server.logs import JsonFormatter, TextFormatter
from nsroom_server.settings import cures
from nsroom_server.settings.access import INVALID_CREDENTIALS, INVALID_NAMESPACE, REJECTED
from nsroom_server.settings.limits import Limits

LONG = "x" * 10_000


def text(line: cures.Line | None) -> str:
    assert line
    message, *args = line
    return message % tuple(args) if args else message


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (
            "http://localhost:5173",
            "refused a page of http://localhost:5173; let it in with --cors-origin http://localhost:5173",
        ),
        (
            f"https://{'x' * 40}.org",
            f"refused a page; let it in with --cors-origin https://{'x' * 40}.org",
        ),
        (f"https://{LONG}.org", "refused a page; let it in with --cors-origin its name, which is long"),
        ("null", "refused a page of null; let it in with --cors-origin null"),
        ("x'; rm -rf /", "refused a page whose origin is not valid"),
    ],
)
def test_pages(origin: str, line: str) -> None:
    assert text(cures.page(origin)) == line


def test_hosts() -> None:
    assert text(cures.host("evil.example")).endswith("let it in with --allowed-host evil.example")
    for name in ("", "a b", "a;b"):
        assert text(cures.host(name)) == "refused a request for a host that is not valid"


def test_clients() -> None:
    def explain(message: str, name: str = "/", auth: object = None) -> str:
        return text(cures.connect(message, name, auth, Limits()))

    assert explain(INVALID_NAMESPACE, "/game") == (
        "refused a namespace /game; offer it with --any-namespace or --namespace /game"
    )
    assert "not valid" in explain(INVALID_NAMESPACE, "/a\nb")
    assert "without a token" in explain(Code.UNAUTHORIZED)
    assert "with another token" in explain(Code.UNAUTHORIZED, auth={"token": "secret"})
    assert "secret" not in explain(Code.UNAUTHORIZED, auth={"token": "secret"})
    assert "--limit namespaces_per_connection (it is 16)" in explain(Code.TOO_MANY_NAMESPACES)
    assert "--fault reject" in explain(REJECTED)
    assert "--admin" in explain(INVALID_CREDENTIALS)
    assert cures.connect(Code.DRAINING, "/", None, Limits()) is None


def test_limits() -> None:
    assert text(cures.limit("more events", "events_per_second", Limits())) == (
        "refused more events; raise --limit events_per_second (it is 200)"
    )
    assert cures.option(Code.TOO_MANY_ROOMS) == "--limit rooms_per_socket"
    assert cures.option(Code.NOT_A_MEMBER) is None
    assert cures.packet("too many attachments")["option"] == "--limit attachments"
    assert cures.packet("broken JSON") == {"cause": "broken JSON"}


@pytest.mark.parametrize(
    "name", ["x" * size for size in (30, 34, 35, 60, 70, 71, 9999)] + ["é" * 12, "'" * 8]
)
def test_no_line_is_long(name: str) -> None:
    for explain in (cures.page, cures.host, cures.namespace):
        for each in (f"http://{name}", name, f"/{name}"):
            message, *args = explain(each)
            record = LogRecord("", WARNING, "", 0, message, tuple(args), None)
            assert max(len(formatter().format(record)) for formatter in (TextFormatter, JsonFormatter)) <= 200
