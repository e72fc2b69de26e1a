"""Hand-driven sessions over both transports."""

import json

import pytest

from nsroom.client.target import Target
from nsroom.doctor.probes.http import HttpClient, NoResponse
from nsroom.doctor.probes.session import Outcome, ProbeSession, open_polling, parse_open
from nsroom.doctor.probes.wires import SessionEnded
from nsroom.errors import DecodeError
from nsroom.protocol.dialect import DEFAULT
from nsroom.protocol.socketio import Packet, PacketType
from tests.cli.clients import Reference
from tests.peers import bad


async def open_session(http: HttpClient, transport: str) -> ProbeSession:
    openers = {"websocket": ProbeSession.over_websocket, "polling": ProbeSession.over_polling}
    return await openers[transport](http, DEFAULT)


async def test_namespaces_and_an_acknowledgement(reference: Reference, transport: str) -> None:
    server = await reference()
    async with HttpClient(Target(url=server.url)) as http:
        session = await open_session(http, transport)
        assert session.wire.name == transport
        replies = await session.connect_namespaces(("/chat", "/nope"), None, 5.0)
        assert replies["/chat"].outcome is Outcome.CONNECTED
        assert replies["/nope"].outcome is Outcome.REFUSED
        await session.send_packet(Packet(PacketType.EVENT, "/chat", 7, ["rooms"]))
        number, data = await session.wait_for_ack((7,), 5.0)
        assert (number, data) == (7, [{"ok": True, "rooms": []}])
        await session.close()


async def test_a_silent_namespace() -> None:
    async with bad.open_then_silence() as url, HttpClient(Target(url=url)) as http:
        session = await open_session(http, "websocket")
        replies = await session.connect_namespaces(("/",), None, 0.1)
        await session.close()
    assert replies["/"].outcome is Outcome.SILENT


async def test_a_session_that_ends() -> None:
    async with bad.open_then_close() as url, HttpClient(Target(url=url)) as http:
        session = await open_session(http, "websocket")
        replies = await session.connect_namespaces(("/",), None, 5.0)
        assert replies["/"].outcome is Outcome.CLOSED
        with pytest.raises(SessionEnded):
            await session.receive_message()
        await session.close()


@pytest.mark.parametrize(
    ("packet", "reason"),
    [("41", "the server disconnected /"), ('41{"message":"no"}', "the server disconnected /: no")],
)
async def test_a_session_that_the_server_disconnects(packet: str, reason: str) -> None:
    async with bad.sends(packet) as url, HttpClient(Target(url=url)) as http:
        session = await open_session(http, "websocket")
        assert (await session.connect_namespaces(("/",), None, 5.0))["/"].outcome is Outcome.CONNECTED
        with pytest.raises(SessionEnded, match=f"^{reason}$"):
            await session.wait_for_ack((1,), 5.0)
        with pytest.raises(SessionEnded, match=f"^{reason}$"):
            await session.hold(5.0)
        await session.close()


async def test_a_session_that_is_held() -> None:
    async with bad.sends('42["x"]') as url, HttpClient(Target(url=url)) as http:
        session = await open_session(http, "websocket")
        await session.connect_namespaces(("/",), None, 5.0)
        await session.hold(0.1)
        assert session.disconnected == {}
        await session.close()


async def test_heartbeats_are_answered_and_counted() -> None:
    answers = []

    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN), "2")
        answers.append(await talk.receive())
        await talk.send("4x")
        await talk.receive()

    async with bad.conversation(script) as url, HttpClient(Target(url=url)) as http:
        session = await open_session(http, "websocket")
        assert await session.receive_message() == "x"
        assert len(session.pings) == 1
        await session.close()
    assert answers == ["3"]


async def test_a_websocket_without_engineio() -> None:
    async with (
        bad.plain_websocket() as url,
        HttpClient(Target(url=url, connect_timeout=0.2)) as http,
    ):
        with pytest.raises(NoResponse, match="switched to WebSocket, then silent"):
            await ProbeSession.over_websocket(http, DEFAULT)


async def test_a_refused_polling_session() -> None:
    async with bad.answers(403) as url, HttpClient(Target(url=url)) as http:
        with pytest.raises(SessionEnded, match="HTTP 403: no reason given"):
            await open_polling(http, DEFAULT)


@pytest.mark.parametrize("frame", ["", "4", "0", "0{}", b"0{}"])
def test_frames_that_are_not_a_handshake(frame: str | bytes) -> None:
    with pytest.raises(DecodeError):
        parse_open(frame)


def test_a_handshake_with_an_absurd_number_is_malformed() -> None:
    with pytest.raises(DecodeError, match="`pingInterval` must be a number from 0"):
        parse_open(f'0{{"sid":"x","upgrades":[],"pingInterval":1{"0" * 400},"pingTimeout":1}}')
