"""Which namespaces are wanted, and what the server says of each."""

import asyncio

import pytest

from nsroom.client.namespaces import Memberships
from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.session import Session
from nsroom.record import Direction, Kind, Record


def said(kind: Kind, namespace: str, message: str | None = None) -> Record:
    return Record(0, 1, Direction.IN, kind, namespace, message=message)


@pytest.fixture
async def ended() -> "asyncio.Future[str]":
    """What a connection resolves at its end."""
    return asyncio.get_running_loop().create_future()


async def test_every_namespace_has_an_answer(ended: "asyncio.Future[str]") -> None:
    members = Memberships(["/", "/a", "/b"], None)
    members.begin(Session())
    waiting = asyncio.ensure_future(members.answered(members.wanted, ended))
    members.accept(said(Kind.CONNECT, "/"))
    members.refuse(said(Kind.CONNECT_ERROR, "/a", "no"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert members.is_pending("/b")
    members.refuse(said(Kind.CONNECT_ERROR, "/b"))
    assert await waiting
    assert members.check() == ["/a is refused: no", "/b is refused: no reason given"]
    assert members.wanted == ["/"]
    members.accept(said(Kind.CONNECT, "/a"))
    assert members.refused == {"/b": "no reason given"}


async def test_nothing_is_left_when_all_refuse() -> None:
    members = Memberships(["/a", "/b"], None)
    members.begin(Session())
    for namespace in ("/a", "/b"):
        members.refuse(said(Kind.CONNECT_ERROR, namespace, "no"))
    with pytest.raises(RefusedError, match="/a is refused: no; /b is refused: no"):
        members.check()


async def test_the_end_of_the_connection_is_no_answer(ended: "asyncio.Future[str]") -> None:
    members = Memberships(["/"], None)
    members.begin(Session())
    ended.set_result("transport close")
    assert not await members.answered(["/"], ended)


async def test_one_fault_answers_for_all(ended: "asyncio.Future[str]") -> None:
    members = Memberships(["/", "/a"], None)
    members.begin(Session())
    members.fail(ConnectError("too old"))
    with pytest.raises(ConnectError, match="too old"):
        await members.answered(["/"], ended)
    with pytest.raises(ConnectError, match="too old"):
        await members.answered(["/a"], ended)


async def test_what_recovers_a_connection_goes_with_the_next_connect() -> None:
    members = Memberships(["/", "/a"], {"token": "x"})
    assert members.payload("/") == {"token": "x"}
    before = Session()
    before.recovery |= {"/": "p1", "/a": "p2"}
    before.offsets["/"] = "o1"
    members.begin(before)
    assert members.payload("/") == {"pid": "p1", "offset": "o1", "token": "x"}
    assert members.payload("/a") == {"token": "x"}
    members.begin(Session())
    assert members.payload("/") == {"pid": "p1", "offset": "o1", "token": "x"}
    assert Memberships(["/"], None).payload("/") is None


def test_what_is_left_is_not_wanted_any_more() -> None:
    members = Memberships(["/", "/a"], None)
    members.leave("/")
    members.leave("/other")
    assert members.wanted == ["/a"]
