"""Measure how many messages a second are stored, acknowledged and delivered: `python -m benchmarks.messages`.

Each sender has its own room with one more member, and a limited number of messages in flight. The run exits
with an error if an acknowledgement is missing, or a delivery is missing or out of order.
"""

import argparse
import asyncio
import contextlib
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp

_LISTENING = re.compile(r"listening on (\S+)")
_OPEN = ("events_per_second", "events_burst", "address_events_per_second", "address_events_burst")


@contextlib.asynccontextmanager
async def listening(history: str) -> AsyncIterator[str]:
    """Start a server without rate limits; yield its URL."""
    limits = [word for name in _OPEN for word in ("--limit", f"{name}=1000000")]
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nsroom", "serve", "--port", "0", "--history", history, *limits),
        stderr=asyncio.subprocess.PIPE,
    )
    assert server.stderr
    try:
        found = None
        while not found:
            found = _LISTENING.search((await server.stderr.readline()).decode())
        reading = asyncio.create_task(server.stderr.read())
        yield found[1]
    finally:
        server.terminate()
        await reading
        await server.wait()


@contextlib.asynccontextmanager
async def member(
    http: aiohttp.ClientSession, url: str, room: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Join a room."""
    async with http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0) as ws:
        await ws.send_str("40")
        await ws.send_str(f'420["join",{json.dumps(room)}]')
        while not (await ws.receive_str()).startswith("430"):
            continue
        yield ws


async def send(ws: aiohttp.ClientWebSocketResponse, room: str, count: int, window: int) -> None:
    """Send messages, with a limited number of them unacknowledged."""
    free = asyncio.Semaphore(window)

    async def acknowledged() -> None:
        waiting = {f'43{number}[{{"ok":true,"id":{number}}}]' for number in _numbers(count)}
        while waiting:
            frame = await ws.receive_str()
            if frame == "2":
                await ws.send_str("3")
            elif frame.startswith("43"):
                waiting.remove(frame)
                free.release()

    async with asyncio.TaskGroup() as group:
        group.create_task(acknowledged())
        for number in _numbers(count):
            await free.acquire()
            await ws.send_str(f'42{number}["message",{{"room":"{room}","text":"message {number}"}}]')


async def receive(ws: aiohttp.ClientWebSocketResponse, count: int) -> None:
    """Receive messages in order."""
    for number in _numbers(count):
        while not (frame := await ws.receive_str()).startswith('42["message"'):
            if frame == "2":
                await ws.send_str("3")
        assert frame.startswith(f'42["message",{{"id":{number},'), frame


def _numbers(count: int) -> Iterator[int]:
    return iter(range(1, count + 1))


async def measure(senders: int, count: int, window: int, history: str | None) -> tuple[float, float]:
    """Return the messages per second, and the server's CPU seconds including its start."""
    before = _cpu()
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = await stack.enter_async_context(listening(history or f"{folder}/h.db"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        rooms = [f"room {number}" for number in range(senders)]
        pairs = [
            [await stack.enter_async_context(member(http, url, room)) for _ in range(2)] for room in rooms
        ]
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for room, (talks, listens) in zip(rooms, pairs, strict=True):
                group.create_task(send(talks, room, count, window))
                group.create_task(receive(listens, count))
        rate = senders * count / (time.perf_counter() - begun)
    return rate, _cpu() - before


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the rates, with a file and without."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messages", description=__doc__)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--messages", type=int, default=10_000, help="of each sender (default: 10000)")
    parser.add_argument("--window", type=int, default=200, help="messages in flight (default: 200)")
    options = parser.parse_args()
    for name, history in (("in a file", None), ("forgotten", "none")):
        rate, cpu = asyncio.run(measure(options.senders, options.messages, options.window, history))
        cost = cpu / options.senders / options.messages * 1e6
        sys.stdout.write(f"{name:<12}{rate:>10,.0f} messages per second{cost:>8,.0f} µs of CPU per message\n")


if __name__ == "__main__":
    main()
