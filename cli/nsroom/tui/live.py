"""Run the live view: of a connection, which may be tried again and again, or of a recording."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from nsroom.client import Client
from nsroom.errors import NsroomError, RefusedError
from nsroom.filters import parse
from nsroom.options import WatchOptions
from nsroom.record import Record
from nsroom.sinks import Route, pump
from nsroom.target import Target
from nsroom.tui import config
from nsroom.tui.app import App
from nsroom.tui.model import Model
from nsroom.tui.view import Focus, View

_PING = 10.0
"""Seconds between two looks at the round trip."""
Say = Callable[[str], None]
Begin = Callable[[Client, Say], Awaitable[list[str]]]


class _Counted:
    """Counts for `--count` what it keeps nowhere."""

    async def write(self, records: Sequence[Record]) -> None:
        """Take records."""

    async def close(self) -> None:
        """Finish."""


async def show(target: Target, options: WatchOptions, begin: Begin, room: str) -> None:
    """Show a connection until the person leaves, or the count is reached.

    Raises: NsroomError for what a connection that nobody tried again has ended with; Stopped.
    """
    model = Model(parse(options.where) if options.where else None)
    view = View(model, target.place.partition("//")[2], focus=Focus.STREAM)
    view.go(target.namespaces[0], room)
    live = _Live(App(view, config.load(config.config_file())), target, options, begin)
    await live.run()


class _Live:
    """A connection and its view."""

    def __init__(self, app: App, target: Target, options: WatchOptions, begin: Begin) -> None:
        self._app = app
        self._view = app.view
        self._target = target
        self._options = options
        self._begin = begin
        self._failure: NsroomError | None = None
        self._refused: list[str] = []
        app.retry = self._start

    async def run(self) -> None:
        """Connect, and show the screen."""
        if self._options.save:
            await self._app.save(self._options.save, self._options.force)
        if self._view.room:
            self._app.screen.focus(Focus.INPUT)
        self._start()
        try:
            await self._app.run()
        finally:
            if self._view.client is not None:
                await self._view.client.close()
        if self._failure is not None:
            raise self._failure
        if self._refused:
            raise RefusedError(f"refused: {'; '.join(self._refused)}")

    def _start(self) -> None:
        self._failure, self._view.failure = None, ""
        self._app.spawn(self._session())

    async def _session(self) -> None:
        client = Client(self._target, watch=True, raw=True, say=self._view.say)
        previous, self._view.client = self._view.client, client
        if previous is not None:
            await previous.close()
        try:
            async with asyncio.TaskGroup() as tasks:
                pumping = tasks.create_task(self._pump(client))
                talking = tasks.create_task(self._talk(client))
                pumping.add_done_callback(lambda _: talking.cancel())
        except* NsroomError as errors:
            self._fail(errors.exceptions[0])

    async def _pump(self, client: Client) -> None:
        counted: list[Route] = [(self._options.keep(), _Counted())] if self._options.count else []
        self._app.begin(counted)
        await pump(client.records(), self._app.routes, self._options.count)
        self._app.application.exit(result=0)

    async def _talk(self, client: Client) -> None:
        await client.connect()
        self._view.transport = client.transport
        self._refused = [f"{name}: {why}" for name, why in client.refused.items()]
        self._refused += await self._begin(client, self._view.say)
        while True:
            with contextlib.suppress(NsroomError):
                self._view.rtt_ms = await client.ping()
                self._view.transport = client.transport
            await asyncio.sleep(_PING)

    def _fail(self, error: BaseException) -> None:
        assert isinstance(error, NsroomError)
        self._failure, self._view.failure = error, str(error)
        self._view.say(str(error), failed=True)
        self._app.changed()
