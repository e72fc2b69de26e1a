"""Delivering events: what is sent and received is handed on, to the end of the connection."""

from collections.abc import AsyncIterator

from nsroom.cli.delivery import run_delivery
from nsroom.client.events import Emit, Line
from nsroom.client.target import Target
from nsroom.record import Record
from tests.cli.clients import WAIT, Reference


async def test_records_are_handed_on(reference: Reference) -> None:
    server = await reference()
    seen: list[Record] = []

    async def lines() -> AsyncIterator[list[Line]]:
        yield [Line(1, Emit("/lab", "echo", [1]), ask=True), Line(2, Emit("/lab", "echo", [2]))]

    target = Target(url=server.url, namespaces=("/lab",))
    await run_delivery(target, lines(), timeout=WAIT, on_records=seen.extend)
    sent = [(each.args, each.id is None) for each in seen if each.direction == "out" and each.event == "echo"]
    assert sent == [([1], False), ([2], True)]
    assert [each.args for each in seen if each.kind == "ack"] == [[1]]
