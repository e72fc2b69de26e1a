"""The server that misbehaves on purpose: each fault as a client meets it."""

import asyncio
import json

import aiohttp
import pytest

from nsroom_server.errors import ConfigError
from nsroom_server.settings.faults import Faults
from tests.server.member import Connect, Serve
from tests.server.wire import endpoint


def test_reading() -> None:
    texts = ["latency=200ms,drop=5%, kick=30s,no-upgrade,no-ack", "no-sticky,reject=/chat,reject=/lab"]
    assert Faults.parse(texts) == Faults(
        latency=0.2,
        drop=0.05,
        kick=30,
        no_upgrade=True,
        no_ack=True,
        no_sticky=True,
        reject=frozenset(("/chat", "/lab")),
    )
    assert str(Faults.parse(texts)) == (
        "latency=0.2s,drop=5%,kick=30s,no-upgrade,no-ack,no-sticky,reject=/chat,reject=/lab"
    )
    assert Faults.parse([str(Faults.parse(texts))]) == Faults.parse(texts)
    assert not Faults.parse([])
    assert Faults.parse(["latency=0.5s"]).latency == 0.5


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("slow", "choose from latency="),
        ("", "choose from latency="),
        ("no-ack=1", "choose from latency="),
        ("reject=chat", "choose from latency="),
        ("latency=200", "write a time"),
        ("kick=-1s", "write a time"),
        ("drop=0.05", "write a share"),
        ("drop=101%", "write a share"),
    ],
)
def test_what_cannot_be_read(text: str, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        Faults.parse([text])


async def test_no_upgrade(serve: Serve, connect: Connect, http: aiohttp.ClientSession) -> None:
    running = await serve(faults=Faults(no_upgrade=True))
    async with http.get(endpoint(running, "polling")) as response:
        assert '"upgrades":["websocket"]' in await response.text()
    with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
        await http.ws_connect(endpoint(running, "websocket"))
    await connect(running, transport="polling")


async def test_no_ack(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(no_ack=True)), "/lab")
    waiting = asyncio.create_task(ann.call("echo", 1))
    assert await ann.next("echo") == 1
    assert not waiting.done()
    waiting.cancel()


async def test_no_sticky(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(faults=Faults(no_sticky=True))
    async with http.get(endpoint(running, "polling")) as response:
        sid = json.loads((await response.text())[1:])["sid"]
    statuses = []
    for _ in range(40):
        async with http.post(endpoint(running, "polling", sid), data="40/nope,") as response:
            statuses.append(response.status)
    assert set(statuses) == {200, 400}


async def test_reject(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(reject=frozenset(("/chat",)))), "/chat", "/lab", wait=False)
    assert await ann.refused() == {"message": "rejected on purpose"}
    assert await ann.next("hi") == "everyone!"
    assert await ann.call("echo", 1, namespace="/lab") == 1
