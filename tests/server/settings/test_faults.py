"""--fault: parsing it, and the faults of namespaces and acknowledgements as a client sees them."""

import asyncio

import pytest

from nsroom_server.errors import ConfigError
from nsroom_server.settings.faults import Faults
from tests.server.member import Connect, Serve


def test_parsing() -> None:
    texts = ["latency=200ms,drop=5%, kick=30s,no-upgrade,no-ack", "no-sticky,forget,reject=/chat,reject=/lab"]
    assert Faults.parse(texts) == Faults(
        latency=0.2,
        drop=0.05,
        kick=30,
        no_upgrade=True,
        no_ack=True,
        no_sticky=True,
        forget=True,
        reject=frozenset(("/chat", "/lab")),
    )
    assert str(Faults.parse(texts)) == (
        "latency=0.2s,drop=5%,kick=30s,no-upgrade,no-ack,no-sticky,forget,reject=/chat,reject=/lab"
    )
    assert Faults.parse([str(Faults.parse(texts))]) == Faults.parse(texts)
    assert not Faults.parse([])
    assert Faults.parse(["latency=0.5s"]).latency == 0.5


@pytest.mark.parametrize(
    ("text", "problem"),
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
def test_invalid_faults(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Faults.parse([text])


async def test_no_ack(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(no_ack=True)), "/lab")
    waiting = asyncio.create_task(ann.call("echo", 1))
    assert await ann.next("echo") == 1
    assert not waiting.done()
    waiting.cancel()


async def test_reject(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(faults=Faults(reject=frozenset(("/chat",)))), "/chat", "/lab", wait=False)
    assert await ann.refused() == {"message": "rejected on purpose"}
    assert await ann.next("hi") == "everyone!"
    assert await ann.call("echo", 1, namespace="/lab") == 1
