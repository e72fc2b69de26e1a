"""A worker process, driven by lines."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nsroom.bench.plan import Plan
from tests.cli.bench.plans import make_plan
from tests.cli.clients import Reference


@asynccontextmanager
async def worker(plan: Plan) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nsroom.bench.worker"), stdin=pipe, stdout=pipe
    )
    send(process, json.dumps(plan.to_json()))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def send(process: asyncio.subprocess.Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())


async def done(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Return the message at the end of a step."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while "done" not in (message := json.loads(await process.stdout.readline())):
            assert message.keys() == {"answered", "errors"}
        return dict(message)


async def test_steps(reference: Reference) -> None:
    async with worker(make_plan((await reference()).url, rate=50)) as process:
        for step in ("connect", "ack", "join", "fan-out"):
            send(process, step)
            message = await done(process)
            assert (message["done"], message["connected"], message["errors"]) == (step, 4, {})
            assert message["answered"] > 0
        send(process, f"collect {message['sent']}")
        assert (await done(process))["answered"] == 3 * message["sent"]
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_step_is_stopped(reference: Reference) -> None:
    async with worker(make_plan((await reference()).url, rate=50, duration=60)) as process:
        send(process, "connect")
        await done(process)
        send(process, "ack")
        send(process, "stop")
        assert (await done(process))["done"] == "ack"
