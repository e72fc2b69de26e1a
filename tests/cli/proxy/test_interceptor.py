"""Decisions and packets of the user's own in a running proxy; the filters of its records."""

import asyncio

import pytest

from nsroom.errors import UsageError
from nsroom.filters import parse
from nsroom.proxy.interceptor import always_shown, settled_only
from tests.cli.intercepted import IN, OUT, Running


async def test_lines_of_stdin_decide_send_and_reply() -> None:
    running = Running()
    running.feed(OUT, '42["wait"]')
    running.feed(IN, '427["question"]')
    running.obey('{"intercept": 1, "action": "edit", "args": ["new"]}')
    running.obey('{"event": "mine", "client": "eio", "direction": "in"}')
    running.obey('{"kind": "ack", "id": 7, "args": ["yes"]}')
    assert running.to[OUT].sent == ['42["wait","new"]', '437["yes"]']
    assert running.to[IN].sent[-1] == '42["mine"]'
    records = await running.records()
    assert [record.data["intercept"]["state"] for record in records] == ["edited", "sent", "sent"]
    with pytest.raises(UsageError, match="packet 1 does not wait"):
        running.obey('{"intercept": 1, "action": "drop"}')


async def test_the_end_forwards_what_waits_and_says_how_much() -> None:
    running = Running()
    running.feed(IN, '42["wait"]')
    running.feed(OUT, '42["wait"]')
    assert len(await running.interceptor.finish()) == 2
    assert running.said == ["the proxy ends: 2 packets that waited were forwarded"]
    assert (running.to[IN].sent[-1], running.to[OUT].sent) == ('42["wait"]', ['42["wait"]'])
    assert await running.interceptor.finish() == []
    assert len(running.said) == 1


async def test_there_is_room_again_after_a_decision() -> None:
    running = Running()
    interception = running.interceptor.interception
    for _ in range(1000):
        running.feed(OUT, '42["wait"]')
    assert interception.is_full
    waiting = asyncio.create_task(running.interceptor.room(lambda: running.session.is_waiting(OUT)))
    await asyncio.wait_for(running.interceptor.room(lambda: running.session.is_waiting(IN)), 10)
    assert "1,000 packets or 16 MiB wait" in running.said[0]
    assert not waiting.done()
    running.obey('{"intercept": 500, "action": "drop"}')
    await asyncio.wait_for(waiting, 10)


async def test_a_recording_has_no_packets_that_wait_and_the_user_sees_all_of_them() -> None:
    running = Running()
    (waiting,) = running.feed(OUT, '42["wait"]')
    (passed,) = running.feed(IN, '42["other"]')
    keep = always_shown(parse("event=nothing"))
    assert keep
    assert (keep(waiting), keep(passed)) == (True, False)
    assert always_shown(None) is None
    settled = settled_only(parse("event=other"))
    assert (settled(waiting), settled(passed), settled_only(None)(waiting)) == (False, True, False)
