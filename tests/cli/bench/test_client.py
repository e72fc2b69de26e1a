"""One load-test client: handshake, packets, acknowledgements, and the causes of failures."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from nsroom.bench.client import ConnectFailure, Connection, cause_of, make_templates, refusal
from nsroom.bench.plan import Member
from tests.cli.bench.plans import make_plan
from tests.peers import bad


@asynccontextmanager
async def opened(url: str, lost: asyncio.Future[str] | None = None) -> AsyncIterator[Connection]:
    endpoint = make_plan(url, namespace="/").endpoint

    def on_lost(_connection: Connection, cause: str) -> None:
        if lost is not None:
            lost.set_result(cause)

    connection = Connection(make_templates(endpoint), Member(0, 0), on_lost)
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", endpoint.port)
    try:
        yield connection
    finally:
        connection.cancel()


async def test_an_event_and_its_acknowledgement() -> None:
    acknowledged = asyncio.get_running_loop().create_future()

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        assert await talk.receive() == '421["x",1]'
        await talk.send("431[]")
        await talk.receive()

    async with bad.conversation(script) as url, opened(url) as connection:
        await connection.ready
        connection.on_packet = lambda _, packet: acknowledged.set_result(connection.acknowledged_id(packet))
        assert connection.emit(b'["x",1]') == 1
        assert await asyncio.wait_for(acknowledged, 5) == 1
        assert connection.is_open
        assert not connection.is_full
        connection.close()
        assert not connection.is_open


async def test_heartbeats_are_answered() -> None:
    answers: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.send("2")
        answers.put_nowait(await talk.receive())

    async with bad.conversation(script) as url, opened(url) as connection:
        await connection.ready
        assert await asyncio.wait_for(answers.get(), 5) == "3"


@pytest.mark.parametrize(
    ("peer", "cause"),
    [
        (lambda: bad.answers(403), "HTTP 403"),
        (bad.garbage, "not HTTP"),
        (bad.closes, "the server closed the connection|connection reset"),
        (lambda: bad.refuses({"message": "no"}), "refused: no"),
        (lambda: bad.refuses("no"), "refused: no"),
    ],
)
async def test_failures_to_connect(peer: type[bad.Peer], cause: str) -> None:
    async with peer() as url, opened(url) as connection:
        with pytest.raises(ConnectFailure, match=cause):
            await asyncio.wait_for(connection.ready, 5)


@pytest.mark.parametrize(
    ("frame", "cause"),
    [("41", "the server disconnected the client"), ("1", "the server closed the session")],
)
async def test_lost_connections(frame: str, cause: str) -> None:
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.send(frame)
        await talk.receive()

    async with bad.conversation(script) as url, opened(url, lost) as connection:
        await connection.ready
        assert await asyncio.wait_for(lost, 5) == cause


@pytest.mark.parametrize(
    ("packet", "number"),
    [
        (b"4312[]", 12),
        (b"4312", None),
        (b"43[]", None),
        (b"43x[]", None),
        (b"43" + b"9" * 17 + b"[]", None),
        (b'461-7[{"_placeholder":true,"num":0}]', 7),
        (b"461-[]", None),
        (b'42["43"]', None),
    ],
)
async def test_ids_of_acknowledgements(packet: bytes, number: int | None) -> None:
    templates = make_templates(make_plan("http://localhost", namespace="/").endpoint)
    assert Connection(templates, Member(0, 0), lambda *_: None).acknowledged_id(packet) == number


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (b'431[{"error":"rate_limited"}]', "rate_limited"),
        (b'431[{"error":[]}]', "[]"),
        (b'431["error"]', None),
        (b"431[]", None),
        (b'431{"error"', None),
    ],
)
def test_refusals(packet: bytes, code: str | None) -> None:
    assert refusal(packet) == code


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(111, "x"), "connection refused"),
        (ValueError("x" * 200), "x" * 100),
        (ValueError(), "ValueError"),
    ],
)
def test_causes(error: BaseException, cause: str) -> None:
    assert cause_of(error) == cause


def test_the_cause_of_a_tls_error_is_its_reason() -> None:
    with pytest.raises(ssl.SSLError) as caught:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="nonsense")
    assert cause_of(caught.value) == f"TLS: {caught.value.reason or caught.value}"
