"""An examination runs each probe at most once, and cancels those that are unfinished."""

import asyncio

import pytest

from nsroom.client.target import Target, Transport
from nsroom.doctor.examination import Examination, Extras, once
from nsroom.doctor.probes.http import HttpClient


def examination(target: Target | None = None) -> Examination:
    target = target or Target()
    return Examination(target, Extras(), HttpClient(target))


async def test_a_probe_runs_once_for_all_callers() -> None:
    calls = []

    @once
    async def probe(_examination: Examination) -> int:
        calls.append(1)
        await asyncio.sleep(0)
        return 7

    examined = examination()
    assert await asyncio.gather(probe(examined), probe(examined)) == [7, 7]
    assert await probe(examined) == 7
    assert len(calls) == 1


async def test_a_caller_that_times_out_does_not_cancel_the_probe() -> None:
    proceed = asyncio.Event()

    @once
    async def probe(_examination: Examination) -> int:
        await proceed.wait()
        return 7

    examined = examination()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await probe(examined)
    proceed.set()
    assert await probe(examined) == 7


async def test_closing_cancels_unfinished_probes() -> None:
    @once
    async def probe(_examination: Examination) -> None:
        await asyncio.Event().wait()

    examined = examination()
    caller = asyncio.create_task(probe(examined))
    await asyncio.sleep(0)
    await examined.close()
    with pytest.raises(asyncio.CancelledError):
        await caller


@pytest.mark.parametrize(
    ("transport", "polling", "websocket"),
    [
        (Transport.AUTO, True, True),
        (Transport.POLLING, True, False),
        (Transport.WEBSOCKET, False, True),
    ],
)
def test_the_transports_of_the_clients(transport: Transport, polling: bool, websocket: bool) -> None:
    examined = examination(Target(transport=transport))
    assert (examined.uses_polling, examined.uses_websocket) == (polling, websocket)


def test_time_outs_are_at_most_the_connect_timeout() -> None:
    examined = examination(Target(connect_timeout=2.0))
    assert (examined.timeout(1.0), examined.timeout(4.0)) == (1.0, 2.0)
