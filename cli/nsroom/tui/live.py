"""Run the live view of a connection, which may be tried again and again."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from nsroom.cli.display_options import WatchOptions
from nsroom.client.joins import Convention
from nsroom.client.target import Target
from nsroom.errors import LostError, NsroomError, OutputError, RefusedError
from nsroom.filters import parse
from nsroom.output.sinks import Keep, Route, pump
from nsroom.record import Record
from nsroom.tui import config
from nsroom.tui.app import App, calm_collector
from nsroom.tui.model.model import Model
from nsroom.tui.model.namespaces import State
from nsroom.tui.screen.state import Focus, View

if TYPE_CHECKING:
    from nsroom.client.client import Client

_PING = 10.0
"""Seconds between two looks at the round trip."""
Say = Callable[[str], None]
Begin = Callable[["Client", Say], Awaitable[list[str]]]


class _Counted:
    """Counts for `--count` what it keeps nowhere."""

    async def write(self, records: Sequence[Record]) -> None:
        """Take records."""

    async def close(self) -> None:
        """Finish."""


async def show(
    target: Target, options: WatchOptions, begin: Begin, room: str, how: Convention | None
) -> None:
    """Show a connection until the person leaves, or the count is reached.

    Raises: NsroomError for what a connection that nobody tried again has ended with; Stopped.
    """
    calm_collector()
    model = Model(parse(options.where) if options.where else None)
    if how is not None:
        model.namespaces.joins |= {how.event}
    view = View(model, target.place.partition("//")[2], focus=Focus.STREAM)
    for namespace in target.namespaces:
        model.namespaces.add(namespace)
    view.go(target.namespaces[0], room)
    app = App(view, config.load(config.config_file()), how, raw=options.raw)
    await Live(app, target, options, begin).run()


async def feed(
    app: App, source: AsyncIterator[Sequence[Record]], count: int | None, keep: Keep | None
) -> None:
    """Take records to the screen and the recordings, and end the view after `count` that `keep` keeps.

    Raises: what ends the source; OutputError.
    """
    counted: list[Route] = [(keep, _Counted())] if count else []
    await pump(source, [*counted, (None, app.recordings)], count)
    app.finish()


class Live:
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
        """Show the screen, and connect. Raises: as `show`."""
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
        self._check()

    def _check(self) -> None:
        """Raise what is left undone."""
        if self._failure is not None:
            raise self._failure
        pairs = self._view.model.acks
        if self._view.model.namespaces.state is not State.CONNECTED and pairs.unconfirmed:
            count = len(pairs.unconfirmed)
            raise LostError(f"the connection ended with {count:,} event{'s'[: count > 1]} unconfirmed")
        if self._refused:
            raise RefusedError(f"refused: {'; '.join(self._refused)}")

    def _start(self) -> None:
        self._failure, self._view.failure = None, ""
        self._view.say("")
        self._app.spawn(self._session())

    async def _session(self) -> None:
        # It takes longer to load than the screen to be painted; so the keys work meanwhile.
        client_module = await asyncio.to_thread(importlib.import_module, "nsroom.client.client")
        client = client_module.Client(self._target, watch=True, raw=True, say=self._say)
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

    def _say(self, text: str) -> None:
        self._view.say(text)
        self._app.changed()

    async def _pump(self, client: "Client") -> None:
        await feed(self._app, client.records(), self._options.count, self._options.keep())

    async def _talk(self, client: "Client") -> None:
        await client.connect()
        self._refused = [f"{name}: {why}" for name, why in client.refused.items()]
        try:
            self._refused += await self._begin(client, self._say)
        except RefusedError as error:
            self._refused.append(str(error))
            self._view.say(str(error), failed=True)
        except LostError as error:
            self._view.say(str(error), failed=True)
        while True:
            with contextlib.suppress(NsroomError):
                self._view.rtt_ms = await client.ping()
            await asyncio.sleep(_PING)

    def _fail(self, error: BaseException) -> None:
        assert isinstance(error, NsroomError)
        if isinstance(
            error, OutputError
        ):  # what was asked to be recorded is not: better to end than to go on
            self._app.finish(error)
            return
        self._failure, self._view.failure = error, str(error)
        self._view.say("")
        self._app.screen.focus(Focus.STREAM)
        self._app.changed()
