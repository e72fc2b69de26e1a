"""The live view of a connection, which the user can retry when it fails."""

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from nsroom.cli import configuration
from nsroom.cli.display_options import WatchOptions
from nsroom.client.presets import Convention
from nsroom.client.target import Target
from nsroom.errors import ExitCode, LostError, NsroomError, OutputError, RefusedError, Stopped
from nsroom.filters import Filter, parse
from nsroom.output.notifications import Notifier, notify_filter
from nsroom.output.sinks import Keep, Route, pump
from nsroom.output.stdio import say
from nsroom.record import Record
from nsroom.tui import config
from nsroom.tui.app import App, tune_garbage_collector
from nsroom.tui.model.model import Model
from nsroom.tui.model.namespaces import State
from nsroom.tui.model.session_summary import session_summary
from nsroom.tui.screen.state import Focus, View

if TYPE_CHECKING:
    from nsroom.client.client import Client

_PING_INTERVAL = 10.0
Say = Callable[[str], None]
Begin = Callable[["Client", Say], Awaitable[list[str]]]
"""Sends the first events of a connection; returns those that were refused, each with its reason."""


class _NullSink:
    """Discards records; `pump` counts them for `--count`."""

    async def write(self, records: Sequence[Record]) -> None:
        """Discard records."""

    async def close(self) -> None:
        """Close nothing."""


async def show(
    target: Target, options: WatchOptions, begin: Begin, room: str, convention: Convention | None
) -> None:
    """Show a connection until the user leaves or --count is reached.

    Raises: NsroomError if the last attempt to connect failed; Stopped.
    """
    tune_garbage_collector()
    where = parse(options.where) if options.where else None
    model = Model(where, message_events=options.message_events())
    if convention is not None:
        model.namespaces.joins |= {convention.event}
    view = View(model, target.place.partition("//")[2], focus=Focus.STREAM, times=options.times)
    for namespace in target.namespaces:
        model.namespaces.add(namespace)
    view.go_to(target.namespaces[0], room)
    app = App(view, config.settings(configuration.load(), options.theme), convention, raw=options.raw)
    await Live(app, target, options, begin).run()


async def feed(
    app: App,
    source: AsyncIterator[Sequence[Record]],
    count: int | None,
    keep: Keep | None,
    notify: Filter | None = None,
) -> None:
    """Pass records to the view, and close it after `count` records that `keep` accepts.

    The user is notified of those that match `notify`. Raises: the error that ends the source; OutputError.
    """
    routes: list[Route] = [(keep, _NullSink())] if count else []
    routes.append((None, app.recorder))
    if notify is not None:
        routes.append((notify, Notifier(app.notify)))
    await pump(source, routes, count)
    app.finish()


class Live:
    """A connection and its view."""

    def __init__(self, app: App, target: Target, options: WatchOptions, begin: Begin) -> None:
        self._app = app
        self._view = app.view
        self._target = target
        self._options = options
        self._begin = begin
        self._notify = notify_filter(options.notify)
        self._rules = options.rules()
        self._failure: NsroomError | None = None
        self._refused: list[str] = []

    async def run(self) -> None:
        """Show the screen and connect. Raises: as `show`."""
        if self._options.save:
            await self._app.save(self._options.save, self._options.force)
        self._app.screen.focus(Focus.INPUT)
        self._app.spawn(self._connect_repeatedly())
        started = time.monotonic()
        try:
            await self._app.run()
        except Stopped as stopped:
            if stopped.code == ExitCode.SIGINT:
                self._say_summary(time.monotonic() - started)
            raise
        finally:
            if self._view.client is not None:
                await self._view.client.close()
        self._say_summary(time.monotonic() - started)
        self._raise_failure()

    def _say_summary(self, seconds: float) -> None:
        """Print what the session was, if there was a connection."""
        model = self._view.model
        connections = model.namespaces.connections
        if connections:
            place, saved_to = self._target.place, self._view.saved_to
            say(session_summary(seconds, place, model.groups, connections - 1, saved_to))

    def _raise_failure(self) -> None:
        """Raise the error that the connection ended with, if any."""
        if self._failure is not None:
            raise self._failure
        unconfirmed = len(self._view.model.acks.unconfirmed)
        if self._view.model.namespaces.state is not State.CONNECTED and unconfirmed:
            events = f"{unconfirmed:,} event{'s'[: unconfirmed > 1]}"
            raise LostError(f"the connection ended with {events} unconfirmed")
        if self._refused:
            raise RefusedError(f"refused: {'; '.join(self._refused)}")

    async def _connect_repeatedly(self) -> None:
        """Connect, and connect again whenever the user retries after a failure."""
        while True:
            self._app.retry_requested.clear()
            self._failure, self._view.failure = None, ""
            self._view.notice.clear()
            await self._connect()
            await self._app.retry_requested.wait()

    async def _connect(self) -> None:
        # Loading this takes longer than drawing the first frame; in a thread, the keys work at once.
        client_module = await asyncio.to_thread(importlib.import_module, "nsroom.client.client")
        client = client_module.Client(
            self._target, watch=True, raw=True, say=self._show_notice, rules=self._rules
        )
        previous, self._view.client = self._view.client, client
        if previous is not None:
            await previous.close()
        try:
            async with asyncio.TaskGroup() as tasks:
                feeding = tasks.create_task(self._feed(client))
                talking = tasks.create_task(self._talk(client))
                feeding.add_done_callback(lambda _: talking.cancel())
        except* NsroomError as errors:
            self._handle_failure(errors.exceptions[0])

    def _show_notice(self, text: str) -> None:
        self._view.notice.show(text)
        self._app.redraw()

    async def _feed(self, client: "Client") -> None:
        await feed(self._app, client.records(), self._options.count, self._options.keep(), self._notify)

    async def _talk(self, client: "Client") -> None:
        await client.connect()
        self._refused = [f"{name}: {reason}" for name, reason in client.refused.items()]
        try:
            self._refused += await self._begin(client, self._show_notice)
        except RefusedError as error:
            self._refused.append(str(error))
            self._view.notice.show(str(error), failed=True)
        except LostError as error:
            self._view.notice.show(str(error), failed=True)
        while True:
            with contextlib.suppress(NsroomError):
                self._view.rtt_ms = await client.ping()
            await asyncio.sleep(_PING_INTERVAL)

    def _handle_failure(self, error: BaseException) -> None:
        assert isinstance(error, NsroomError)
        if isinstance(error, OutputError):  # records can no longer be saved as the user asked
            self._app.finish(error)
            return
        self._failure, self._view.failure = error, str(error)
        self._view.notice.clear()
        if not self._app.has_typed:
            self._app.screen.focus(Focus.STREAM)  # for the keys that try again and quit
        self._app.redraw()
