"""The live view of a proxy."""

from nsroom.cli import configuration
from nsroom.cli.display_options import ProxyOptions
from nsroom.filters import parse
from nsroom.output.notifications import notify_filter
from nsroom.proxy.server import Plan, Proxy
from nsroom.proxy.totals import Totals
from nsroom.tui import config
from nsroom.tui.app import App, tune_garbage_collector
from nsroom.tui.live import feed
from nsroom.tui.model.model import Model
from nsroom.tui.screen.notice import Notice
from nsroom.tui.screen.state import View


async def show(plan: Plan, where: tuple[str, int], options: ProxyOptions, totals: Totals) -> None:
    """Run a proxy at the address `where`, and show its traffic until the user leaves or --count is reached.

    Raises: ConnectError before the screen opens; OutputError, Stopped.
    """
    tune_garbage_collector()
    model = Model(parse(options.where) if options.where else None, relayed=True)
    model.heartbeats = options.all
    notice, notify = Notice(), notify_filter(options.notify)
    proxy = Proxy(plan, notice.show, totals, raw=True)
    async with proxy.listening(*where) as url:
        view = View(
            model,
            _without_scheme(url),
            proxied_server=_without_scheme(plan.url),
            notice=notice,
            times=options.times,
        )
        app = App(view, config.settings(configuration.load(), options.theme), raw=options.raw)
        if options.save:
            await app.save(options.save, options.force)
        app.spawn(feed(app, proxy.records(), options.count, options.keep(), notify))
        app.spawn(proxy.failed())
        await app.run()


def _without_scheme(url: str) -> str:
    return url.partition("//")[2]
