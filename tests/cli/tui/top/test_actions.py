"""The actions of `top`, on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.target import Target
from nsroom.errors import RefusedError, UsageError
from nsroom.filters import parse
from nsroom.introspection.admin.client import Admin
from nsroom.introspection.inventory import Feature
from nsroom.tui.top.actions import Actions
from nsroom.tui.top.activity import Scope
from nsroom_server.settings.config import Administrator
from tests.cli.clients import Connect, Reference

LOBBY = Scope("/chat", "lobby")
LOGIN = {"username": "ann", "password": "secret"}


async def admin(reference: Reference, stack: AsyncExitStack, write: bool = True) -> tuple[Admin, str]:
    running = await reference(admin=Administrator(user="ann", password="secret", write=write))
    target = Target(url=running.url, namespaces=("/admin",), auth=LOGIN)
    made = await stack.enter_async_context(Admin(target))
    await made.wait_for_sockets()
    return made, running.url


async def member(connect: Connect, url: str, room: str = "lobby") -> Client:
    client = await connect(url, "/chat")
    (answer,) = await client.ask(Emit("/chat", "join", [room]))
    await answer
    return client


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


async def test_kick_join_and_emit(reference: Reference, connect: Connect, stack: AsyncExitStack) -> None:
    made, url = await admin(reference, stack)
    one, two = await member(connect, url), await member(connect, url)
    sids = [client.namespaces["/chat"] for client in (one, two)]
    actions = Actions(made, write=True, timeout=10)
    assert await made.read_until(lambda: len(actions.members(LOBBY)) == 2, 10)
    assert await actions.join(LOBBY, "ops") == "joined 2 sockets to ops"
    assert len(actions.members(Scope("/chat", "ops"))) == 2
    first = Scope("/chat", "lobby", sids[0])
    assert await actions.emit(first, 'hello {"a": 1}') == f"emitted hello to {sids[0]}"
    assert await actions.kick(first) == "disconnected 1 socket from /chat"
    assert [each.sid for each in actions.members(LOBBY)] == [sids[1]]
    assert await actions.kick(LOBBY) == "disconnected 1 socket from /chat"
    for line in (actions.emit(first, " "), actions.join(first, "")):
        with pytest.raises(UsageError):
            await line


async def test_what_is_followed(reference: Reference, connect: Connect, stack: AsyncExitStack) -> None:
    made, url = await admin(reference, stack)
    client = await member(connect, url)
    sid = client.namespaces["/chat"]
    actions = Actions(made, write=False, timeout=10)
    assert await made.read_until(lambda: len(actions.members(LOBBY)) == 1, 10)
    assert actions.where(LOBBY) == actions.where(Scope("/chat", None, sid)) == f'sid="{sid}"'
    assert actions.where(Scope("/chat")) == actions.where(Scope("/chat", "empty")) == 'ns="/chat"'
    assert actions.where(Scope("/" + "x" * 20_000)) == ""
    assert parse(actions.where(Scope('/"|&'))).fields == {"namespace"}


@pytest.mark.parametrize(("write", "error"), [(False, UsageError), (True, RefusedError)])
async def test_what_is_not_allowed(
    reference: Reference, stack: AsyncExitStack, write: bool, error: type[Exception]
) -> None:
    made, _ = await admin(reference, stack, write=False)
    with pytest.raises(error, match="--write" if not write else "read-only"):
        Actions(made, write, 1).require(Feature.DISCONNECT)
