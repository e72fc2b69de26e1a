"""Handlers that fail, answer late or answer much: an application made for the test."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from nsroom_server.app import Running
from nsroom_server.engineio import tcp
from nsroom_server.engineio.session import Options
from nsroom_server.settings.config import Config
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.application import Answer, Application, Client, Handler, Later
from nsroom_server.socketio.server import Server
from tests.server.member import Connect

PENDING = 100
LIMITS = Limits(pending_answers=PENDING)


class Handlers(Application):
    """Three handlers: one that fails, one that fails later, and one that waits for the test."""

    def __init__(self) -> None:
        self.started = 0
        self.full = asyncio.Event()
        self.go_on = asyncio.Event()

    def refuse(self, namespace: str, auth: Any) -> None:
        """Accept every client."""

    def handler(self, _namespace: str, event: Any) -> Handler | None:
        return {"fail": self.fail, "fail-later": self.fail_later, "wait": self.wait}.get(event)

    async def fail(self, _client: Client, _args: Sequence[Any]) -> Answer:
        raise ZeroDivisionError("a bug")

    async def fail_later(self, client: Client, args: Sequence[Any]) -> Later:
        return Later(self.fail(client, args))

    async def wait(self, _client: Client, _args: Sequence[Any]) -> Later:
        self.started += 1
        if self.started > PENDING:
            self.full.set()
        return Later(self._wait())

    async def _wait(self) -> Answer:
        await self.go_on.wait()
        return (1, 2)


@pytest.fixture
def application() -> Handlers:
    return Handlers()


@pytest.fixture
async def running(application: Handlers, stack: AsyncExitStack) -> Running:
    server, app = Server(Options(limits=LIMITS)), web.Application()
    server.register(application)
    app.router.add_route("*", "/socket.io/", server.engine.handle_request)
    runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    assert runner.server
    listening = tcp.listening(runner.server, Config(port=0), None, server.engine.refusals)
    port = await stack.enter_async_context(listening)
    stack.push_async_callback(runner.cleanup)
    stack.push_async_callback(server.drain, 1)
    return Running(f"http://127.0.0.1:{port}", port)


@pytest.mark.parametrize("event", ["fail", "fail-later"])
async def test_a_bug_is_answered_and_logged(
    running: Running, connect: Connect, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    ann = await connect(running)
    assert (await ann.call(event))["error"] == "internal_error"
    assert "ZeroDivisionError: a bug" in caplog.text


async def test_an_answer_of_several_arguments(
    running: Running, connect: Connect, application: Handlers
) -> None:
    application.go_on.set()
    ann = await connect(running)
    assert await ann.client.call("wait") == (1, 2)


async def test_pending_answers_are_bounded(running: Running, connect: Connect, application: Handlers) -> None:
    ann = await connect(running)
    answered = asyncio.Event()
    for _ in range(PENDING + 50):
        await ann.client.emit("wait", callback=lambda *_: None)
    await ann.client.emit("wait", callback=lambda *_: answered.set())
    await asyncio.wait_for(application.full.wait(), 10)
    other = await connect(running)
    assert (await other.call("nope"))["error"] == "unknown_event"
    assert application.started == PENDING + 1
    application.go_on.set()
    await asyncio.wait_for(answered.wait(), 10)
    assert application.started == PENDING + 51
