"""The heartbeat: pings, pongs, and its timeout."""

import asyncio

from nsroom_server.engineio.heartbeat import Heartbeat

INTERVAL, TIMEOUT = 0.02, 0.05


class Session:
    """Counts the pings, and notes the end."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self.pinged, self.expired = asyncio.Event(), asyncio.Event()
        self.pings = 0
        self.heartbeat = Heartbeat(
            asyncio.get_running_loop(), INTERVAL, timeout, self._ping, self.expired.set
        )

    def _ping(self) -> None:
        self.pings += 1
        self.pinged.set()

    async def ping(self) -> None:
        async with asyncio.timeout(5):
            await self.pinged.wait()
        self.pinged.clear()


async def test_a_client_that_answers_is_pinged_again() -> None:
    session = Session(timeout=60)
    for _ in range(3):
        await session.ping()
        assert session.heartbeat.pong()
        assert not session.heartbeat.pong()
    session.heartbeat.stop()
    assert not session.expired.is_set()


async def test_a_client_that_does_not_answer_expires() -> None:
    session = Session()
    async with asyncio.timeout(5):
        await session.expired.wait()
    assert session.pings == 1


async def test_a_throttled_client_does_not_expire() -> None:
    session = Session()
    with session.heartbeat.throttled():
        await session.ping()
        await asyncio.sleep(3 * TIMEOUT)
        assert not session.expired.is_set()
    async with asyncio.timeout(5):
        await session.expired.wait()


async def test_a_pong_after_the_end_starts_nothing() -> None:
    session = Session(timeout=60)
    await session.ping()
    session.heartbeat.stop()
    assert not session.heartbeat.pong()
    await asyncio.sleep(3 * INTERVAL)
    assert session.pings == 1
