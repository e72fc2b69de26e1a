"""Measure the live view through a pseudo-terminal while a server floods it: `python -m benchmarks.view`.

It prints what was measured, one line for each, and compares nothing: machines differ.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from aiohttp import web

from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.model import Model
from tests.peers.program import Program, clean_environment, start, start_on_terminal

NSROOM = (sys.executable, "-m", "nsroom")
OPEN = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
SLICE = 0.01
# The received events contain none of them: when one appears, a key has reached the screen.
LETTERS = "ĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸ"
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=5000, help="events per second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--size", default="110x30", help="columns x rows")
    given = parser.parse_args()
    cols, rows = map(int, given.size.split("x"))
    asyncio.run(_measure(given.rate, given.seconds, cols, rows))


async def _measure(rate: int, seconds: float, cols: int, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env, home = clean_environment(Path(folder)), Path(folder)
        await _starts(env, home, cols, rows)
        await _flood(env, home, rate, seconds, cols, rows)
    _filters(100_000)


async def _starts(env: dict[str, str], home: Path, cols: int, rows: int) -> None:
    _say("start, --version", f"{await _median(lambda: _version(env, home)):.0f} ms")
    shown = await _median(lambda: _first_screen(env, home, cols, rows))
    _say("start, first screen (no server)", f"{shown:.0f} ms")


async def _median(once: Callable[[], Awaitable[float]]) -> float:
    return statistics.median([await once() for _ in range(5)])


async def _version(env: dict[str, str], home: Path) -> float:
    began = time.monotonic()
    await (await start((*NSROOM, "--version"), env, home)).end()
    return (time.monotonic() - began) * 1000


async def _first_screen(env: dict[str, str], home: Path, cols: int, rows: int) -> float:
    began = time.monotonic()
    program = await _view(env, home, "http://127.0.0.1:9", cols, rows)
    await program.stdout.wait_for("quit", 10)
    took = (time.monotonic() - began) * 1000
    await program.kill()
    return took


async def _view(env: dict[str, str], home: Path, url: str, cols: int, rows: int, *more: str) -> Program:
    return await start_on_terminal((*NSROOM, "connect", "-u", url, *more), env, home, rows, cols)


async def _flood(env: dict[str, str], home: Path, rate: int, seconds: float, cols: int, rows: int) -> None:
    async with _flooding(rate, seconds) as (url, sent):
        program = await _view(env, home, url, cols, rows, "--save", "flood.ndjson")
        try:
            await program.stdout.wait_for("tick", 10)
            before, began = _cpu(program.pid), time.monotonic()
            delays = [delay async for delay in _keys(program, began + seconds - 1)]
            took, cpu = time.monotonic() - began, _cpu(program.pid) - before
            frames = program.stdout.text.count("\x1b[?25l") / took
            _say("events sent", f"{rate:,}/s for {seconds:g} s on {cols}x{rows}")
            slow = sorted(delays)[-len(delays) // 20 :]
            _say("key to screen", f"median {_ms(statistics.median(delays))}, worst {_ms(max(delays))}")
            _say("key to screen, slowest twentieth", ", ".join(map(_ms, slow)))
            _say("frames", f"{frames:.1f}/s")
            _say("CPU", f"{cpu / took:.0%} of a core")
            _say("memory, highest", f"{_memory(program.pid) / 1024:.0f} MB")
            await asyncio.sleep(3)
            program.type("\x11")
            _say("exit code", str(await program.end()))
        finally:
            await program.kill()
        _say("lost from --save", f"{sent[0] - _recorded(home / 'flood.ndjson'):,} of {sent[0]:,}")


async def _keys(program: Program, until: float) -> AsyncIterator[float]:
    """Type letters that are not on the screen, and measure the time until each appears."""
    program.type("i")
    await asyncio.sleep(0.5)
    for letter in LETTERS * 100:
        if time.monotonic() > until:
            return
        at = len(program.stdout.data)
        began = time.monotonic()
        program.type(letter)
        while letter.encode() not in program.stdout.data[at:]:  # noqa: ASYNC110 - what is measured
            await asyncio.sleep(0.001)
        yield time.monotonic() - began
        program.type("\x7f")
        await asyncio.sleep(0.35)


def _recorded(path: Path) -> int:
    """Return the number of ticks in a recording that are in order and without a gap."""
    expected = 0
    with path.open("rb") as file:
        for line in file:
            record = json.loads(line)
            if record.get("event") == "tick":
                expected += record["args"][0]["n"] == expected
    return expected


@contextlib.asynccontextmanager
async def _flooding(rate: int, seconds: float) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve events at a rate, and count them."""
    sent = [0]

    async def socket(request: web.Request) -> web.WebSocketResponse:
        peer = web.WebSocketResponse()
        await peer.prepare(request)
        await peer.send_str(OPEN)
        await peer.receive()
        await peer.send_str('40{"sid":"y"}')
        reading = asyncio.create_task(_ignore(peer))
        began = time.monotonic()
        while (now := time.monotonic()) < began + seconds and not peer.closed:
            while sent[0] < (now - began) * rate:
                await peer.send_str(f'42["tick",{{"n":{sent[0]},"symbol":"ACME","bid":12.5,"ask":12.52}}]')
                sent[0] += 1
            await asyncio.sleep(SLICE)
        await reading
        return peer

    app = web.Application()
    app.router.add_get("/socket.io/", socket)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", sent
    finally:
        await runner.cleanup()


async def _ignore(peer: web.WebSocketResponse) -> None:
    async for _ in peer:
        pass


def _filters(count: int) -> None:
    """Measure filtering and searching a full ring of records, without a screen."""
    model = Model()
    for record in _records(count):
        model.add(record)
    for where in ("event=tick & arg.0.n>50000", 'ns=/chat | arg.0.symbol~"acm"', ""):
        began = time.monotonic()
        model.filter(where)
        _say(f"filter {count:,} by {where or 'nothing'}", _ms(time.monotonic() - began))
    began = time.monotonic()
    model.search("text that no record has")
    _say(f"search {count:,}", _ms(time.monotonic() - began))


def _records(count: int) -> Iterator[Record]:
    for n in range(count):
        frame = f'42["tick",{{"n":{n},"symbol":"ACME","bid":12.5}}]'
        args = [{"n": n, "symbol": "ACME", "bid": 12.5}]
        yield Record(n, n, Direction.IN, Kind.EVENT, "/", event="tick", args=args, frames=[frame])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:40} {value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
