"""Answers to CONNECT: accepted, refused, missing, silent, unreadable."""

import pytest

from nsroom.client.target import Parser
from nsroom.doctor.checks.namespaces import (
    check_auth,
    check_middleware,
    check_namespace,
    check_parser,
    check_recovery,
    format_refusal,
    is_missing,
    is_refused,
)
from nsroom.doctor.finding import State
from nsroom.doctor.probes.session import Outcome, Reply
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"message": "no"}, '"no"'),
        ({"message": "no", "data": {"code": 1}}, '"no", data {"code": 1}'),
        ("Invalid namespace", '"Invalid namespace"'),
        ({"error": 1}, '{"error": 1}'),
        (None, "disconnected at once"),
    ],
)
def test_refused_namespaces(data: object, text: str) -> None:
    assert format_refusal(data) == text


async def test_a_namespace_that_exists(examine: Examine, reference: Reference) -> None:
    examination = await examine((await reference()).url, "/chat")
    assert (await check_parser(examination)).found == "packets are JSON"
    assert (await check_namespace(examination)).found == "/chat exists"
    assert (await check_auth(examination)).found == "accepted without credentials"
    assert (await check_middleware(examination)).state is State.OK
    assert (await check_recovery(examination)).state is State.OK


async def test_msgpack_that_the_server_does_not_read(examine: Examine, reference: Reference) -> None:
    finding = await check_parser(await examine((await reference()).url, parser=Parser.MSGPACK))
    assert finding.state is State.FAILED
    assert finding.found == "packets are JSON, but --parser msgpack was given"


async def test_a_missing_namespace(examine: Examine, reference: Reference) -> None:
    finding = await check_namespace(await examine((await reference()).url, "/nope"))
    assert finding.state is State.FAILED
    assert finding.found == '/nope is refused: "Invalid namespace"; / exists'


async def test_a_missing_root_namespace_is_not_called_a_path(examine: Examine) -> None:
    async with bad.refuses({"message": "Invalid namespace"}) as url:
        finding = await check_namespace(await examine(url))
    assert finding.state is State.FAILED
    assert finding.found == '/ is refused: "Invalid namespace"'


async def test_a_refused_client(examine: Examine, reference: Reference) -> None:
    server = await reference(token="secret")
    finding = await check_auth(await examine(server.url, "/chat"))
    assert finding.state is State.FAILED
    assert finding.found.startswith("/chat refuses this client, without credentials: ")
    accepted = await check_auth(await examine(server.url, "/chat", auth={"token": "secret"}))
    assert accepted.found == "accepted with --auth"


async def test_a_silent_server(examine: Examine) -> None:
    async with bad.open_then_silence() as url:
        examination = await examine(url, connect_timeout=0.3)
        assert (await check_parser(examination)).found == "the server answers no CONNECT"
        assert (await check_namespace(examination)).found == "/: no answer"
        finding = await check_middleware(examination)
    assert finding.state is State.FAILED
    assert "no answer to CONNECT within 0.3 s" in finding.found
    assert "or raised (does it expect --auth?)" in finding.found


async def test_an_unreadable_answer(examine: Examine) -> None:
    async with bad.refuses(None) as url:
        finding = await check_parser(await examine(url))
    assert finding.state is State.FAILED
    assert finding.found.startswith("the answer to a CONNECT cannot be parsed")


@pytest.mark.parametrize(
    ("outcome", "message", "missing", "refused"),
    [
        (Outcome.REFUSED, "Invalid namespace", True, False),
        (Outcome.REFUSED, "Unable to connect", True, False),
        (Outcome.REFUSED, "no", False, True),
        (Outcome.CONNECTED, "Invalid namespace", False, False),
        (Outcome.SILENT, "", False, False),
    ],
)
def test_missing_and_refused(outcome: Outcome, message: str, missing: bool, refused: bool) -> None:
    reply = Reply(outcome, {"message": message})
    assert (is_missing(reply), is_refused(reply)) == (missing, refused)
