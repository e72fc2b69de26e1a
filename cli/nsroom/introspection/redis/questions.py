"""Questions to all servers of an adapter, and what their replies add up to."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from nsroom.channel import now
from nsroom.introspection.inventory import Key, Socket
from nsroom.introspection.redis.adapter import AskedAdapter
from nsroom.introspection.redis.payloads import Reply
from nsroom.introspection.redis.state import Listing, Silence

_MAX_SERVERS = 10_000


class Question:
    """A question to the servers, with their replies so far."""

    def __init__(self, servers: int) -> None:
        self.servers = servers
        self.replies: list[Reply] = []
        self.took = 0.0
        """Seconds until the last reply."""
        self.answered = asyncio.Event()
        self._asked = asyncio.get_running_loop().time()
        if not servers:
            self.answered.set()

    def add(self, reply: Reply) -> None:
        """Add a server's reply."""
        if not self.answered.is_set():
            self.replies.append(reply)
            self.took = asyncio.get_running_loop().time() - self._asked
        if len(self.replies) >= self.servers:
            self.answered.set()


def listing(
    adapters: Sequence[AskedAdapter], asked: Sequence[Question], stored: Mapping[Key, Socket]
) -> Listing:
    """Return what is stored and what the servers replied, and who did not."""
    silences: dict[str, Silence] = {}
    for adapter, question in zip(adapters, asked, strict=True):
        silent = question.servers - len(question.replies)
        if silent > 0:
            silences[adapter.namespace] = Silence(silent, question.servers)
    replies = (reply for question in asked for reply in question.replies)
    replied = {each.key: each for reply in replies for each in reply.sockets}
    return Listing(now(), {**stored, **replied}, silences)


def number(answer: Any) -> int:
    """Return the number at the end of an answer such as `[channel, 2]` or `[(channel, 2)]`."""
    while isinstance(answer, list | tuple) and answer:
        answer = answer[-1]
    return min(answer, _MAX_SERVERS) if isinstance(answer, int) else 0
