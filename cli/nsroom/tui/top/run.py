"""Run `top`, from inside the server or with the server's own events."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from nsroom.channel import now
from nsroom.cli import configuration
from nsroom.cli.display_options import TailOptions
from nsroom.client.target import Target
from nsroom.introspection.listing import follow_events
from nsroom.introspection.observer import Observer
from nsroom.introspection.ways import Way
from nsroom.output.tables import Rows
from nsroom.output.terminal import Theme
from nsroom.record import Direction, Kind, Record
from nsroom.tui import config, tail_view
from nsroom.tui.app import tune_garbage_collector
from nsroom.tui.screen.notice import Notice
from nsroom.tui.top.actions import Actions
from nsroom.tui.top.app import TopApp
from nsroom.tui.top.model import Model
from nsroom.tui.top.sources import EventsSource, InsideSource
from nsroom.tui.top.state import TopView


async def show_inside(
    way: Way,
    server: str,
    namespaces: tuple[str, ...],
    all: bool,
    timeout: float,
    write: bool = False,
    theme: Theme | None = None,
) -> None:
    """Show a server from inside until the user leaves; change it only with `write`.

    Raises: as the observer; Stopped.
    """
    notice = Notice()
    async with way.observe(timeout=timeout, say=notice.show) as observer:
        notice.clear()  # the user did not miss anything before the first frame
        model = Model(InsideSource(observer, namespaces, all), namespaces=namespaces)
        actions = Actions(observer, write, timeout)
        view = TopView(model, server, f"via {observer.state.name}", notice=notice, actions=actions)
        while True:
            app = _new_app(view, theme)
            app.spawn(_follow(observer, app))
            await app.run()
            if app.followed is None:
                return
            where = actions.where(app.followed)
            await tail_view.show(observer, server, TailOptions(theme=theme), where, None, notice)
            notice.clear()


async def _follow(observer: Observer[Any], app: TopApp) -> None:
    async for records in observer.batches():
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
        app = _new_app(TopView(model, target.place.partition("//")[2], "via its events"), theme)
        app.spawn(_follow_listing(listing, source, app))
        await app.run()


async def _follow_listing(listing: AsyncGenerator[Rows, None], source: EventsSource, app: TopApp) -> None:
    async for rows in listing:
        source.update(rows)
        app.redraw()


def _new_app(view: TopView, theme: Theme | None) -> TopApp:
    tune_garbage_collector()
    return TopApp(view, config.settings(configuration.load(), theme))
