"""Run the view of a server: by its admin namespace, or by its own events."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from nsroom.channel import now
from nsroom.client.target import Target
from nsroom.introspection.admin.client import Admin
from nsroom.introspection.listing import follow_events
from nsroom.output.tables import Rows
from nsroom.record import Direction, Kind, Record
from nsroom.tui import config
from nsroom.tui.app import calm_collector
from nsroom.tui.top.app import TopApp
from nsroom.tui.top.model import Model
from nsroom.tui.top.sources import AdminSource, EventsSource
from nsroom.tui.top.state import TopView


async def show_admin(target: Target, namespaces: tuple[str, ...], all: bool, timeout: float) -> None:
    """Show what an admin namespace tells, until the person leaves. Raises: as `Admin`; Stopped."""
    told = _Told()
    async with Admin(target, timeout=timeout, say=told) as admin:
        model = Model(AdminSource(admin, namespaces, all), namespaces=namespaces)
        view = TopView(model, _place(target), f"by {target.namespaces[0]}")
        app = _begin(view)
        told.view = view
        app.spawn(_follow(admin, app))
        await app.run()


class _Told:
    """Says on the screen what the connection has to say; before there is one, that is nothing new."""

    def __init__(self) -> None:
        self.view: TopView | None = None

    def __call__(self, text: str) -> None:
        if self.view is not None:
            self.view.say(text)


async def _follow(admin: Admin, app: TopApp) -> None:
    async for records in admin.batches():
        _connection(app.view, records)
        app.view.model.learn(records, now())
        app.changed()


def _connection(view: TopView, records: Iterable[Record]) -> None:
    """Take note of how our own connection stands."""
    for record in records:
        if record.kind is Kind.RECONNECT and isinstance(record.data, dict):
            view.connection = f"gone, try {record.data.get('attempt')}"
        elif record.direction is Direction.LOCAL and record.kind in (Kind.CLOSE, Kind.GAP):
            view.connection = "gone" if record.kind is Kind.CLOSE else ""


async def show_events(target: Target, timeout: float) -> None:
    """Show what the reference server answers to `rooms`, until the person leaves.

    Raises: as `follow_events`; Stopped.
    """
    async with aclosing(follow_events(target, None, timeout)) as listing:
        source = EventsSource()
        source.take(await anext(listing))
        model = Model(source, sees_events=False, namespaces=target.namespaces)
        app = _begin(TopView(model, _place(target), "by its events"))
        app.spawn(_ask(listing, source, app))
        await app.run()


async def _ask(listing: AsyncGenerator[Rows, None], source: EventsSource, app: TopApp) -> None:
    async for rows in listing:
        source.take(rows)
        app.changed()


def _begin(view: TopView) -> TopApp:
    calm_collector()
    return TopApp(view, config.load(config.config_file()))


def _place(target: Target) -> str:
    return target.place.partition("//")[2]
