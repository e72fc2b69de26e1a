"""Entries on their way to the stream, and refusing them."""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice

from nsroom_server.cluster.entries import Entry, Op
from nsroom_server.errors import Code, Refusal

_PER_TURN = 32
"""Submissions refused in one turn of the loop: there can be thousands, and others need their turn."""
_NOT_STORED = "only members on this server received it, and it is not stored"
_OUTCOMES = {
    Op.MESSAGE: _NOT_STORED,
    Op.EVENT: _NOT_STORED,
    Op.QUERY: "this was done on this server only",
}


@dataclass(slots=True)
class Submission:
    """An entry with the publisher's number for it.

    `confirmed` is done once the entry has been read back; its result is a message's id, else 0.
    """

    number: int
    entry: Entry
    persistent: bool
    """Whether it is published however late, instead of refused."""
    confirmed: asyncio.Future[int]
    result: int = 0


class Refusals:
    """Refuses submissions in order, some in each turn of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()

    def add(self, submission: Submission) -> None:
        """Refuse a submission soon; do nothing if it is confirmed or refused by then."""
        self._waiting.append(submission)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._refuse_some)

    def _refuse_some(self) -> None:
        for submission in tuple(islice(self._waiting, _PER_TURN)):
            if not submission.confirmed.done():
                submission.confirmed.set_exception(_refusal(submission.entry))
            self._waiting.popleft()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._refuse_some)


def _refusal(entry: Entry) -> Refusal:
    outcome = _OUTCOMES.get(entry.op, "nothing was changed, try again")
    return Refusal(Code.BUS_UNAVAILABLE, f"cannot reach the other servers: {outcome}")
