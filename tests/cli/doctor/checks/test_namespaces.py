"""How namespaces answer: existing, missing, refusing, or in another encoding."""

import pytest

from nsroom.client.target import Transport
from nsroom.doctor.checks import namespaces
from nsroom.doctor.checks.namespaces import (
    as_path,
    is_missing,
    is_msgpack,
    is_refused,
    message_of,
    refusal_text,
)
from nsroom.doctor.finding import State
from nsroom.doctor.probes.session import Outcome, Reply
from tests.cli.clients import Reference
from tests.cli.doctor.conftest import Examine
from tests.peers import bad


@pytest.mark.parametrize(
    ("frame", "known"),
    [(b"\x83\xa4type\x00", True), (b"\x82\xa4type\x00\xa3nsp\xa1/", True), (b"", False), (b"\x04ab", False)],
)
def test_msgpack_packets(frame: bytes, known: bool) -> None:
    assert is_msgpack(frame) is known


@pytest.mark.parametrize(
    ("data", "message", "text"),
    [
        ({"message": "no"}, "no", '"no"'),
        ({"message": "no", "data": {"code": 1}}, "no", '"no", data {"code": 1}'),
        ("Invalid namespace", "Invalid namespace", '"Invalid namespace"'),
        ({"error": 1}, "", '{"error": 1}'),
        (None, "", "disconnected at once"),
    ],
)
def test_the_text_of_a_refusal(data: object, message: str, text: str) -> None:
    assert (message_of(data), refusal_text(data)) == (message, text)


@pytest.mark.parametrize(
    ("reply", "missing", "refused"),
    [
        (Reply(Outcome.CONNECTED), False, False),
        (Reply(Outcome.REFUSED, {"message": "Invalid namespace"}), True, False),
        (Reply(Outcome.REFUSED, "Unable to connect"), True, False),
        (Reply(Outcome.REFUSED, {"message": "no"}), False, True),
        (Reply(Outcome.SILENT), False, False),
    ],
)
def test_missing_and_refusing_namespaces(reply: Reply, missing: bool, refused: bool) -> None:
    assert (is_missing(reply), is_refused(reply)) == (missing, refused)


@pytest.mark.parametrize(
    ("namespace", "path"),
    [
        ("/socket.io", "/socket.io/"),
        ("/api/socket.io/", "/api/socket.io/"),
        ("/chat", "/chat/socket.io/"),
    ],
)
def test_the_path_that_a_namespace_may_mean(namespace: str, path: str) -> None:
    assert as_path(namespace) == path


@pytest.mark.parametrize(
    ("why", "found"),
    [
        ("HTTP 400: Session ID unknown", "a session over polling is refused"),
        ("WebSocket closed, code 1006", "a CONNECT ends the session"),
        ("the server sent CLOSE", "a CONNECT ends the session"),
        ("not JSON", "cannot be read"),
    ],
)
def test_a_session_that_ended(why: str, found: str) -> None:
    assert found in namespaces.session_ended(why).found


async def test_a_root_namespace_that_is_missing_is_not_called_a_path(examine: Examine) -> None:
    async with bad.refuses({"message": "Invalid namespace"}) as url:
        finding = await namespaces.check_namespace(await examine(url, transport=Transport.WEBSOCKET))
    assert finding.state is State.FAILED
    assert finding.found == '/ is refused: "Invalid namespace"'


async def test_namespaces_of_the_reference_server(reference: Reference, examine: Examine) -> None:
    server = await reference()
    examination = await examine(server.url, namespaces=("/", "/lab"))
    assert (await namespaces.check_namespace(examination)).found == "/, /lab exist"
    assert (await namespaces.check_auth(examination)).found == "accepted without credentials"
    assert (await namespaces.check_parser(examination)).found == "packets are JSON"
    assert (await namespaces.check_middleware(examination)).state is State.OK
    assert (await namespaces.check_recovery(examination)).found.startswith("off")
