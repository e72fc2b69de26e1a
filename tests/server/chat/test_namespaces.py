"""The chat namespaces: which there are, whom they accept, and their greeting."""

from typing import Any

import pytest

from tests.server.member import Connect, Serve


async def test_the_greeting_follows_the_connect_answer(
    serve: Serve, connect: Connect, transport: str
) -> None:
    running = await serve()
    for namespace in ("/", "/my-namespace", "/chat", "/lab"):
        ann = await connect(running, namespace, transport=transport)
        assert await ann.next("hi") == "everyone!"


async def test_everyone_in_the_namespace_is_greeted(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob, other = [await connect(running, name) for name in ("/chat", "/chat", "/")]
    assert [event for event, _ in await ann.settled()] == ["hi", "hi"]
    assert [event for event, _ in await bob.settled()] == ["hi"]
    assert [event for event, _ in await other.settled()] == ["hi"]


async def test_unknown_namespace(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/nope", transport=transport, wait=False)
    assert await ann.refused() == {"message": "Invalid namespace"}


async def test_one_namespace_is_refused_and_the_others_go_on(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/chat", "/nope", wait=False)
    assert await ann.refused() == {"message": "Invalid namespace"}
    assert await ann.next("hi") == "everyone!"


async def test_any_namespace(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(any_namespace=True, namespaces=()), "/what/ever")
    assert (await ann.call("join", "lobby"))["ok"]


async def test_namespaces_of_a_connection(serve: Serve, connect: Connect) -> None:
    running = await serve(any_namespace=True)
    names = [f"/{number}" for number in range(16)]
    await connect(running, *names)
    ann = await connect(running, *names, "/more", wait=False)
    assert await ann.refused() == {"message": "too_many_namespaces"}


@pytest.mark.parametrize("auth", [None, {}, {"token": "wrong"}, {"token": None}, {"token": ["secret"]}])
async def test_the_token_is_asked_for(serve: Serve, connect: Connect, auth: Any) -> None:
    running = await serve(token="secret")
    ann = await connect(running, auth=auth, wait=False)
    assert await ann.refused() == {"message": "unauthorized"}
    assert await connect(running, auth={"token": "secret"})
