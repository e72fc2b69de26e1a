"""`nsroom demo`: a server, two members and the live view in one command."""

import sys
from typing import TYPE_CHECKING

from nsroom.options import WatchOptions, say

if TYPE_CHECKING:
    from nsroom.client import Client


def demo() -> None:
    """Start a server on a free port, let two members talk in a room, and watch them.

    On a terminal you are in the room too: what you type is a message; Ctrl-C ends it. Without a terminal it
    prints the transcript as NDJSON and ends by itself.

    \b
    Examples:
      nsroom demo
      nsroom demo | jq -c '[.kind, .event, .args]'
    """
    from nsroom.signals import run

    run(_demo(WatchOptions(all=True), for_ever=sys.stdout.isatty()))


async def _demo(options: WatchOptions, for_ever: bool) -> None:
    from nsroom_server.app import serving
    from nsroom_server.config import Config

    async with serving(Config(port=0)) as server:
        say(f"a server is running on {server.url}; try `nsroom connect -u {server.url}` in another terminal")
