"""Which namespaces are wanted, and the server's answer for each."""

import asyncio

import pytest

from nsroom.client.namespaces import Namespaces
from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.session import Observer
from nsroom.record import Direction, Kind, Record


def answer(kind: Kind, namespace: str, message: str | None = None) -> Record:
    return Record(0, 1, Direction.IN, kind, namespace, message=message, data=message)


@pytest.fixture
async def ended() -> "asyncio.Future[str]":
    """The future that a connection resolves when it ends."""
    return asyncio.get_running_loop().create_future()


async def test_every_namespace_has_an_answer(ended: "asyncio.Future[str]") -> None:
    namespaces = Namespaces(["/", "/a", "/b"], None)
    namespaces.start(Observer())
    waiting = asyncio.ensure_future(namespaces.wait(namespaces.wanted, ended))
    namespaces.on_connect(answer(Kind.CONNECT, "/"))
    namespaces.on_connect_error(answer(Kind.CONNECT_ERROR, "/a", "no"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert namespaces.is_pending("/b")
    namespaces.on_connect_error(answer(Kind.CONNECT_ERROR, "/b"))
    assert await waiting
    assert namespaces.remove_refused() == ["/a is refused: no", "/b is refused: no reason given"]
    assert namespaces.wanted == ["/"]
    namespaces.on_connect(answer(Kind.CONNECT, "/a"))
    assert namespaces.refused == {"/b": "no reason given"}


async def test_only_refusals_of_what_was_asked_for_count() -> None:
    namespaces = Namespaces(["/a"], None)
    namespaces.start(Observer())
    for namespace in ("/", "/a", "/b"):
        namespaces.on_connect_error(answer(Kind.CONNECT_ERROR, namespace, "no"))
    assert [*namespaces.refused] == ["/", "/a"]


async def test_it_is_an_error_when_all_are_refused() -> None:
    namespaces = Namespaces(["/a", "/b"], None)
    namespaces.start(Observer())
    for namespace in ("/a", "/b"):
        namespaces.on_connect_error(answer(Kind.CONNECT_ERROR, namespace, "no"))
    with pytest.raises(RefusedError, match="/a is refused: no; /b is refused: no"):
        namespaces.remove_refused()


async def test_the_end_of_the_connection_ends_the_wait(ended: "asyncio.Future[str]") -> None:
    namespaces = Namespaces(["/"], None)
    namespaces.start(Observer())
    ended.set_result("transport close")
    assert not await namespaces.wait(["/"], ended)


async def test_an_error_ends_every_wait(ended: "asyncio.Future[str]") -> None:
    namespaces = Namespaces(["/", "/a"], None)
    namespaces.start(Observer())
    namespaces.fail(ConnectError("too old"))
    with pytest.raises(ConnectError, match="too old"):
        await namespaces.wait(["/"], ended)
    with pytest.raises(ConnectError, match="too old"):
        await namespaces.wait(["/a"], ended)


async def test_recovery_data_is_sent_with_the_next_connect() -> None:
    namespaces = Namespaces(["/", "/a"], {"token": "x"})
    assert namespaces.payload("/") == {"token": "x"}
    before = Observer()
    before.recovery |= {"/": "p1", "/a": "p2"}
    before.offsets["/"] = "o1"
    namespaces.start(before)
    assert namespaces.payload("/") == {"pid": "p1", "offset": "o1", "token": "x"}
    assert namespaces.payload("/a") == {"token": "x"}
    namespaces.start(Observer())
    assert namespaces.payload("/") == {"pid": "p1", "offset": "o1", "token": "x"}
    assert Namespaces(["/"], None).payload("/") is None


def test_a_removed_namespace_is_not_wanted() -> None:
    namespaces = Namespaces(["/", "/a"], None)
    namespaces.remove("/")
    namespaces.remove("/other")
    assert namespaces.wanted == ["/a"]
