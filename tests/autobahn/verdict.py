"""Run a case against a wire, and judge what came back."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from enum import StrEnum

from tests.autobahn.cases import CLOSE, NORMAL, Case, Event, Frame, close_data
from tests.autobahn.peers import WAIT, Wire

PAUSE = 0.2
"""Seconds that a strict peer has to fail in the middle of a case."""


class Verdict(StrEnum):
    """As the suite says it."""

    OK = "OK"
    NON_STRICT = "NON-STRICT"
    FAILED = "FAILED"


@dataclass
class Outcome:
    """What a peer sent: its frames, and how it ended."""

    events: list[Event] = field(default_factory=list)
    code: int | None = None
    ended: bool = False
    written: int = 0
    """Frames of the case that it had seen when it closed, if it did before the last."""
    fault: str = ""


def judge(case: Case, outcome: Outcome) -> tuple[Verdict, str]:
    """Return the verdict, and why it is not OK."""
    expected, events = list(case.events), outcome.events
    if outcome.fault or not outcome.ended:
        return Verdict.FAILED, outcome.fault or "it did not close"
    if events != expected and not (case.may_drop and events == expected[: len(events)]):
        return Verdict.FAILED, f"{_brief(events)} came back instead of {_brief(expected)}"
    if outcome.code not in (*case.codes, *case.lenient):
        return Verdict.FAILED, f"the code {outcome.code} instead of {case.codes[0]}"
    if events != expected:
        return Verdict.NON_STRICT, "earlier messages were lost"
    if outcome.code not in case.codes:
        return Verdict.NON_STRICT, f"the code {outcome.code} instead of {case.codes[0]}"
    if case.fails_by is not None and outcome.written > case.fails_by:
        return Verdict.NON_STRICT, "it failed after the last fragment only"
    return Verdict.OK, ""


def _brief(events: list[Event]) -> str:
    return f"{len(events)} frames {[(event.opcode, len(event.data)) for event in events[:5]]}"


async def run(wire: Wire, case: Case) -> Outcome:
    """Write a case's frames, and return what the peer sent until the connection ended."""
    outcome = Outcome()
    reading = asyncio.create_task(_read(wire, case, outcome))
    # Through the transport, a write that fails would drop what the peer sent before it closed.
    with contextlib.closing(wire.writer.get_extra_info("socket").dup()) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(WAIT):
                await _write(wire, raw, case, outcome, reading)
    await asyncio.wait([reading], timeout=WAIT)
    if not reading.done():
        reading.cancel()
        await asyncio.wait([reading])
    elif error := reading.exception():
        outcome.fault = str(error)
    return outcome


async def _write(
    wire: Wire, raw: socket.socket, case: Case, outcome: Outcome, reading: "asyncio.Task[None]"
) -> None:
    for frame in case.write:
        if frame is None:
            await asyncio.wait([reading], timeout=PAUSE)
            if reading.done():
                return
        else:
            for part in wire.wrap(frame):
                await _send(raw, wire.encode(part), case.chop)
            outcome.written += 1
    if case.closes:
        while len(outcome.events) < len(case.events) and not reading.done():
            await asyncio.wait([reading], timeout=0.002)
        await _send(raw, wire.encode(Frame(CLOSE, close_data(NORMAL))), 0)


async def _send(raw: socket.socket, data: bytes, chop: int) -> None:
    loop = asyncio.get_running_loop()
    for at in range(0, len(data), chop or len(data)):
        await loop.sock_sendall(raw, data[at : at + (chop or len(data))])
        await asyncio.sleep(0)


async def _read(wire: Wire, case: Case, outcome: Outcome) -> None:
    """Read until the end of the connection; after a CLOSE nothing may follow."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while (event := await wire.read()).opcode != CLOSE:
            if (unwrapped := wire.unwrap(event)) is not None:
                outcome.events.append(unwrapped)
        outcome.code = int.from_bytes(event.data[:2], "big") if event.data else None
        if not case.closes:
            wire.writer.write(wire.encode(Frame(CLOSE, event.data[:2])))
        assert await wire.reader.read() == b"", "data after the CLOSE"
    outcome.ended = True
