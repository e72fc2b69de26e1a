"""Show in the live view what clients and their server say to each other."""

from nsroom.cli.display_options import RelayOptions
from nsroom.filters import parse
from nsroom.proxy.server import Plan, Proxy
from nsroom.tui import config
from nsroom.tui.app import App, calm_collector
from nsroom.tui.live import feed
from nsroom.tui.model.model import Model
from nsroom.tui.screen.state import View


async def show(plan: Plan, where: tuple[str, int], options: RelayOptions) -> None:
    """Listen, and show what passes until the person leaves, or the count is reached.

    Raises: ConnectError before there is a screen; OutputError, Stopped.
    """
    calm_collector()
    model = Model(parse(options.where) if options.where else None, relayed=True)
    model.heartbeats = options.all
    proxy = Proxy(plan, raw=True)
    async with proxy.listening(*where) as url:
        view = View(model, _place(url), relaying=_place(plan.url))
        app = App(view, config.load(config.config_file()), raw=options.raw)
        if options.save:
            await app.save(options.save, options.force)
        app.spawn(feed(app, aiter(proxy.channel), options.count, options.keep()))
        app.spawn(proxy.failed())
        await app.run()


def _place(url: str) -> str:
    return url.partition("//")[2]
