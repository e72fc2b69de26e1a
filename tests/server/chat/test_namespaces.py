"""The chat namespaces: which there are, whom they accept, and their greeting."""

import asyncio
import json
from typing import Any

import pytest

from nsroom_server.app import Running
from nsroom_server.settings.config import Administrator
from nsroom_server.settings.limits import Limits
from tests.server.member import WAIT, Connect, Json, Serve
from tests.server.wire import HANDSHAKE, masked, tcp


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


async def test_without_a_greeting(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(greeting=False))
    assert await ann.settled() == []


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


async def guess(running: Running, namespace: str, auth: Json) -> str:
    """Try to connect over a new connection, and return the answer's packet."""
    async with tcp(running) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"}")
        writer.write(masked(f"40{namespace},{json.dumps(auth)}"))
        await reader.readuntil(b"4")
        return (await asyncio.wait_for(reader.readuntil(b"}"), WAIT)).decode()


@pytest.mark.parametrize(
    ("namespace", "key", "refusal"), [("/chat", "token", "unauthorized"), ("/admin", "password", "invalid")]
)
async def test_a_token_or_password_cannot_be_guessed_quickly(
    serve: Serve, caplog: pytest.LogCaptureFixture, namespace: str, key: str, refusal: str
) -> None:
    administrator = Administrator(user="ann", password="right")
    limits = Limits(failed_logins_per_second=2)
    running = await serve(token="right", admin=administrator, limits=limits)
    answers = [await guess(running, namespace, {"username": "ann", key: str(each)}) for each in range(40)]
    assert all(refusal in answer for answer in answers[:5])
    limited = sum("rate_limited" in answer for answer in answers)
    # Those that came too soon were not compared, and are no failures.
    assert running.engines[0].failed_logins == {"token": 0, "password": 0, key: 40 - limited}
    assert limited >= 20
    assert running.engines[0].refusals["rate_limited"] == limited
    assert sum(record.message == "too many failed logins" for record in caplog.records) <= limited
    assert "right" not in caplog.text
    async with asyncio.timeout(WAIT):
        while "sid" not in await guess(  # noqa: ASYNC110 - no event announces it
            running, namespace, {"username": "ann", key: "right"}
        ):
            await asyncio.sleep(0.1)


async def test_an_unknown_namespace_is_no_failed_login(serve: Serve) -> None:
    running = await serve(token="right")
    for _ in range(10):
        assert "Invalid namespace" in await guess(running, "/nope", {"token": "right"})
    assert "sid" in await guess(running, "/chat", {"token": "right"})
    assert running.engines[0].failed_logins == {"token": 0, "password": 0}


async def test_namespaces_without_a_password_are_not_affected_by_failed_logins(serve: Serve) -> None:
    running = await serve(admin=Administrator(user="ann", password="right"))
    for _ in range(10):
        await guess(running, "/admin", {"username": "ann", "password": "wrong"})
    assert "sid" in await guess(running, "/chat", {})


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
