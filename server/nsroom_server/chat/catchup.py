"""Which messages of a room a client has missed, or why that cannot be determined."""

from enum import StrEnum
from itertools import pairwise
from typing import Any

from nsroom_server.chat.history import History
from nsroom_server.chat.requests import Page
from nsroom_server.chat.sqlite_history import Body


class Gap(StrEnum):
    """Why the messages after an id cannot be listed."""

    EPOCH = "epoch"
    """The id belongs to another store."""
    TRIMMED = "trimmed"
    """The messages after it have been deleted."""
    DAMAGED = "damaged"
    """Some messages among them, or the newest, cannot be read."""


async def read(history: History, namespace: str, page: Page, octets: int) -> dict[str, Any]:
    """Return a page of a room's messages, with the data that tells the client whether it is complete.

    There are more messages if `last` is not among them. Raises: HistoryError.
    """
    last = await history.last(namespace, page.room)
    foreign = _is_foreign(page, history.epoch, last)
    asked = Page(page.room, None, page.limit) if foreign else page
    messages = await history.read(namespace, asked, octets)
    gap = Gap.EPOCH if foreign else _gap(page, last, messages)
    if gap is Gap.TRIMMED:
        oldest = await history.oldest(namespace, page.room)
        if oldest is not None and oldest <= (page.after or 0) + 1:
            # It was not deleted: it cannot be read, or a damaged file has lost it.
            gap = Gap.DAMAGED
    return {"history": messages, "epoch": history.epoch, "last": last, "gap": gap and str(gap)}


def _is_foreign(page: Page, epoch: str, last: int) -> bool:
    if page.after is None:
        return False
    return page.epoch not in (None, epoch) or page.after > last


def _gap(page: Page, last: int, messages: list[Body]) -> Gap | None:
    ids = [int(message["id"]) for message in messages]
    # Ids have no holes: a hole is a row that cannot be read, or that a damaged file has lost.
    if any(later != id + 1 for id, later in pairwise(ids)):
        return Gap.DAMAGED
    if page.after is None:
        return Gap.DAMAGED if ids and ids[-1] < last else None
    return Gap.TRIMMED if (ids[0] if ids else last + 1) > page.after + 1 else None
