"""The Engine.IO protocol of a server."""

import json

import pytest

from nsroom.client.target import Transport
from nsroom.doctor.checks.versions import check_allow_eio3, check_version, detect_revision
from nsroom.doctor.finding import State
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad


async def test_engineio_4(examine: Examine, reference: Reference) -> None:
    examination = await examine((await reference()).url)
    assert await detect_revision(examination) == 4
    assert (await check_version(examination)).found == "Engine.IO 4: Socket.IO 3 or 4"
    assert (await check_allow_eio3(examination)).found == "off: Socket.IO 2 clients are refused"


@pytest.mark.parametrize(("frames", "revision"), [(["40"], 3), ([], 4)])
async def test_over_websocket_only_socketio_2_connects_the_root_unasked(
    examine: Examine, frames: list[str], revision: int
) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.send(*frames)
        await talk.receive()

    async with bad.conversation(script) as url:
        assert await detect_revision(await examine(url, connect_timeout=0.5)) == revision


async def test_a_malformed_handshake(examine: Examine) -> None:
    async with bad.conversation(bad.ignore, polled="0{}") as url:
        finding = await check_version(await examine(url, transport=Transport.POLLING, connect_timeout=0.5))
    assert finding.state is State.FAILED
    assert finding.found.startswith("the handshake is malformed: ")


async def test_no_handshake(examine: Examine) -> None:
    async with bad.answers(404) as url:
        assert (await check_version(await examine(url))).found == "not a handshake of Engine.IO 3 or 4"
