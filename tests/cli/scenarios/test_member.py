"""Expectations of a client's records, which may arrive before or after the expectation is made."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from nsroom.client.events import Emit
from nsroom.filters import parse
from nsroom.scenarios.member import Member, Missed
from tests.cli.clients import Reference, answer, make

LONG = 30.0


@pytest.fixture
async def member(reference: Reference, stack: AsyncExitStack) -> Member:
    """A member in /lab, whose `echo` comes back as an event."""
    server = await reference()
    made = Member(make(server.url, "/lab", watch=True))
    stack.push_async_callback(made.close)
    await made.client.connect()
    return made


async def echo(member: Member, *numbers: int) -> None:
    for number in numbers:
        await answer(member.client, "echo", number, namespace="/lab")


async def test_records_are_found_in_their_order(member: Member) -> None:
    await echo(member, 1, 2, 3)
    [two] = await member.expect(parse("event=echo & arg.0=2"), 1, LONG)
    assert two.args == [2]
    with pytest.raises(Missed) as missed:
        await member.expect(parse("arg.0=1"), 1, 0)
    assert [
        record.args for record in missed.value.seen if record.kind == "event" and record.direction == "in"
    ] == [[3]]
    waiting = asyncio.create_task(member.expect(parse("event=echo"), 2, LONG))
    await echo(member, 4)
    assert [record.args for record in await waiting] == [[3], [4]]


async def test_what_must_not_come(member: Member) -> None:
    await echo(member, 1)
    record = await member.never(parse("event=echo"), LONG)
    assert record is not None
    assert await member.never(parse("event=other"), 0) is None
    assert (await member.expect(parse("event=echo"), 1, LONG))[0] == record


async def test_other_kinds_are_expected_by_their_name(member: Member) -> None:
    await member.expect(parse("kind=connect & dir=in"), 1, LONG)
    await member.client.emit(Emit("/lab", "kick", []))
    await member.expect(parse("kind=disconnect"), 1, LONG)
    with pytest.raises(Missed) as missed:
        await member.expect(parse("event=x"), 1, LONG)
    assert "disconnected us" in missed.value.ended


async def test_few_records_are_kept(reference: Reference, stack: AsyncExitStack) -> None:
    member = Member(make((await reference()).url, "/lab", watch=True), kept=10)
    stack.push_async_callback(member.close)
    await member.client.connect()
    await echo(member, *range(40))
    assert len(member.records) <= 12
    with pytest.raises(Missed) as missed:
        await member.expect(parse("event=echo & arg.0=1"), 1, 0)
    assert missed.value.dropped > 28
    assert (await member.expect(parse("event=echo & arg.0=39"), 1, LONG))[0].args == [39]
