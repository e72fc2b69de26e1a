"""The live view of a proxy."""

from nsroom.cli import configuration
from nsroom.cli.relay_options import ProxyOptions
from nsroom.filters import parse
from nsroom.output.notifications import notify_filter
from nsroom.output.stdio import say
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
    notice, notify = ProxyNotice(), notify_filter(options.notify)
    proxy = Proxy(plan, notice.tell, totals, raw=True)
    async with proxy.listening(*where) as url:
        view = View(
            model,
            _without_scheme(url),
            proxied_server=_without_scheme(plan.url),
            interceptor=proxy.interceptor,
            notice=notice,
            times=options.times,
        )
        app = ProxyApp(view, config.settings(configuration.load(), options.theme), raw=options.raw)
        if options.save:
            await app.save(options.save, options.force)
        app.spawn(feed(app, proxy.records(), options.count, options.keep(), notify))
        app.spawn(proxy.failed())
        await app.run()


class ProxyNotice(Notice):
    """Shows lines of the proxy on the screen, and after it is closed on stderr."""

    is_closed = False

    def tell(self, text: str) -> None:
        """Show a line."""
        if self.is_closed:
            say(text)
        else:
            self.show(text)


class ProxyApp(App):
    """The live view of a proxy: at its end, packets that wait are forwarded."""

    async def close(self) -> None:
        """Forward what waits, and close the files being saved. Raises: OutputError."""
        notice = self.view.notice
        if isinstance(notice, ProxyNotice):
            notice.is_closed = True
        if self.view.interceptor is not None:
            await self.recorder.write(await self.view.interceptor.finish())
        await super().close()


def _without_scheme(url: str) -> str:
    return url.partition("//")[2]
