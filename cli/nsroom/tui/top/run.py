"""Run `top`, with an admin namespace or with the server's own events."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from nsroom.channel import now
from nsroom.cli import configuration
from nsroom.cli.display_options import TailOptions
from nsroom.client.target import Target
from nsroom.introspection.admin.client import Admin
from nsroom.introspection.listing import follow_events
from nsroom.output.tables import Rows
from nsroom.output.terminal import Theme
from nsroom.record import Direction, Kind, Record
from nsroom.tui import config, tail_view
from nsroom.tui.app import tune_garbage_collector
from nsroom.tui.screen.notice import Notice
from nsroom.tui.top.actions import Actions
from nsroom.tui.top.app import TopApp
from nsroom.tui.top.model import Model
from nsroom.tui.top.sources import AdminSource, EventsSource
from nsroom.tui.top.state import TopView


async def show_admin(
    target: Target,
    namespaces: tuple[str, ...],
    all: bool,
    timeout: float,
    write: bool = False,
    theme: Theme | None = None,
) -> None:
    """Show a server through its admin namespace until the user leaves; change it only with `write`.

    Raises: as `Admin`; Stopped.
    """
    notice = Notice()
    async with Admin(target, timeout=timeout, say=notice.show) as admin:
        notice.clear()  # the user did not miss anything before the first frame
        model = Model(AdminSource(admin, namespaces, all), namespaces=namespaces)
        actions = Actions(admin, write, timeout)
        view = TopView(model, _server(target), f"via {target.namespaces[0]}", notice=notice, actions=actions)
        while True:
            app = _new_app(view, theme)
            app.spawn(_follow_admin(admin, app))
            await app.run()
            if app.followed is None:
                return
            where = actions.where(app.followed)
            await tail_view.show(admin, target, TailOptions(theme=theme), where, None, notice)
            notice.clear()


async def _follow_admin(admin: Admin, app: TopApp) -> None:
    async for records in admin.batches():
        _update_connection(app.view, records)
        app.view.model.learn(records, now())
        app.redraw()


def _update_connection(view: TopView, records: Iterable[Record]) -> None:
    for record in records:
        if record.kind is Kind.RECONNECT and isinstance(record.data, dict):
            view.connection = f"disconnected, retry {record.data.get('attempt')}"
        elif record.direction is Direction.LOCAL and record.kind in (Kind.CLOSE, Kind.GAP):
            view.connection = "disconnected" if record.kind is Kind.CLOSE else ""


async def show_events(target: Target, timeout: float, theme: Theme | None = None) -> None:
    """Show the reference server's answers to `rooms` until the user leaves.

    Raises: as `follow_events`; Stopped.
    """
    async with aclosing(follow_events(target, None, timeout)) as listing:
        source = EventsSource()
        source.update(await anext(listing))
        model = Model(source, sees_events=False, namespaces=target.namespaces)
        app = _new_app(TopView(model, _server(target), "via its events"), theme)
        app.spawn(_follow_listing(listing, source, app))
        await app.run()


async def _follow_listing(listing: AsyncGenerator[Rows, None], source: EventsSource, app: TopApp) -> None:
    async for rows in listing:
        source.update(rows)
        app.redraw()


def _new_app(view: TopView, theme: Theme | None) -> TopApp:
    tune_garbage_collector()
    return TopApp(view, config.settings(configuration.load(), theme))


def _server(target: Target) -> str:
    return target.place.partition("//")[2]
