"""`nsroom demo`: a server, two members and the live view, in one command."""

import contextlib
import sys
from itertools import chain, count
from typing import TYPE_CHECKING

from nsroom.cli.display_options import ThemeOption, WatchOptions
from nsroom.errors import ConnectError, LostError, WaitError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nsroom.client.client import Client
    from nsroom.client.events import Emit
    from nsroom.client.target import Target
    from nsroom.watch import Say

NAMESPACE, ROOM = "/chat", "lobby"
_OPTIONS = WatchOptions(all=True)
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def demo(theme: ThemeOption = None) -> None:
    """Start a server, let two members talk, and watch them.

    The server listens on a free port. On a terminal you are in the room too: what you type is sent as a
    message, and Ctrl-Q quits. In a pipe it prints the transcript as NDJSON and exits.

    \b
    Examples:
      nsroom demo
      nsroom demo | jq -c '[.kind, .event, .args]'
    """
    from nsroom.cli.run import run

    run(_demo(_OPTIONS.replace(theme=theme), endless=sys.stdout.isatty()))


async def _demo(options: WatchOptions, endless: bool) -> None:
    import os

    from nsroom.client.target import Target
    from nsroom.watch import is_live
    from nsroom_server.app import serving
    from nsroom_server.errors import ListenError
    from nsroom_server.settings.config import Config

    os.environ["no_proxy"] = "*"  # the server is in this process
    try:
        async with serving(Config(port=0)) as server:
            line = f"nsroom join {ROOM} -u {server.url}{NAMESPACE}"
            if not is_live(options):
                say(f"a server is running on {server.url}; try `{line}`")
            await _watch(Target(url=server.url, namespaces=(NAMESPACE,)), options, endless, line)
    except ListenError as error:
        raise ConnectError(str(error)) from error


async def _watch(target: "Target", options: WatchOptions, endless: bool, line: str) -> None:
    import asyncio

    from nsroom.watch import is_live, watch

    playing: list[asyncio.Task[None]] = []

    async def begin(client: "Client", say: "Say") -> list[str]:
        await _enter(client, "me", say)
        if is_live(options):  # what was printed before is behind the view
            say(f"from another terminal: {line}")
        playing.append(asyncio.create_task(_play(target, client, endless)))
        return []

    try:
        await watch(target, options, begin, ROOM)
        if not endless:
            await asyncio.gather(*playing)
    finally:
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)


async def _enter(client: "Client", nick: str, say: "Callable[[str], None]") -> None:
    from nsroom.client.joins import convention, join

    await join(client, [ROOM], convention(None, None, None, nick), say)


async def _play(target: "Target", watcher: "Client", endless: bool) -> None:
    """Send the members' messages, then prices forever, or close the watcher."""
    import asyncio

    from nsroom.client.client import Client

    members = {name: Client(target) for name in ("ann", "bob")}
    try:
        for name, client in members.items():
            await client.connect()
            await _enter(client, name, lambda _: None)
        for name, emit in chain(_script(), _prices() if endless else ()):
            await asyncio.sleep(1.5 if endless else 0.1)
            await members[name].ask(emit)
        await asyncio.sleep(0.3)
    finally:
        await asyncio.gather(*(client.close() for client in members.values()))
        with contextlib.suppress(LostError, WaitError):
            await watcher.settle(1.0)  # their leaving is part of the transcript
        await watcher.close()


def _script() -> "Iterator[tuple[str, Emit]]":
    yield "ann", _message("did the deploy go out?")
    yield "bob", _message("the deploy is through")
    yield "ann", _message("thanks! watching the prices now")
    yield "bob", _relayed("price", {"symbol": "ACME", "bid": 12.5, "ask": 12.52})
    yield "bob", _relayed("chart", {"symbol": "ACME", "png": _PIXEL})


def _prices() -> "Iterator[tuple[str, Emit]]":
    for tick in count():
        cents = 1250 + tick * 37 % 40
        yield "bob", _relayed("price", {"symbol": "ACME", "bid": cents / 100, "ask": (cents + 2) / 100})


def _message(text: str) -> "Emit":
    from nsroom.client.events import message

    return message(NAMESPACE, ROOM, text)


def _relayed(event: str, arg: object) -> "Emit":
    from nsroom.client.events import Emit, relay

    return relay(Emit(NAMESPACE, event, [arg]), [ROOM], ())
