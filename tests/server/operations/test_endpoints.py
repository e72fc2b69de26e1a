"""/healthz, /readyz and /metrics of a running server."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.server.member import Connect, Json, Serve
from tests.server.wire import poll

Samples = dict[tuple[str, str], float]


async def get(http: aiohttp.ClientSession, running: Running, path: str) -> tuple[int, Json]:
    async with http.get(f"{running.url}{path}") as response:
        return response.status, await response.json()


async def metrics(http: aiohttp.ClientSession, running: Running) -> Samples:
    """Return the samples by name and label."""
    async with http.get(f"{running.url}/metrics") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_alive_and_ready(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve()
    assert await get(http, running, "/healthz") == (200, {"status": "ok"})
    assert await get(http, running, "/readyz") == (200, {"status": "ready"})
    async with http.post(f"{running.url}/healthz") as response:
        assert response.status == 405


async def test_a_server_without_its_history_is_degraded(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db")
    ann = await connect(running)
    await ann.call("join", "lobby")
    with closing(sqlite3.connect(tmp_path / "h.db")) as other:
        other.execute("ALTER TABLE messages RENAME TO elsewhere")
        await ann.call("message", {"room": "lobby", "text": "x"})
        assert await get(http, running, "/readyz") == (200, {"status": "degraded", "failing": ["history"]})
        assert (await metrics(http, running))["nsroom_part_ok", "history"] == 0
        other.execute("ALTER TABLE elsewhere RENAME TO messages")
    await ann.call("message", {"room": "lobby", "text": "y"})
    assert await get(http, running, "/readyz") == (200, {"status": "ready"})


async def test_a_server_whose_history_file_was_removed_is_degraded(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    running = await serve(history=tmp_path / "h.db")
    ann = await connect(running)
    await ann.call("join", "lobby")
    (tmp_path / "h.db").rename(tmp_path / "elsewhere")
    async with asyncio.timeout(5):
        while (await get(http, running, "/readyz"))[1]["status"] == "ready":  # noqa: ASYNC110 - the server checks once a second
            await asyncio.sleep(0.05)
    answer = await ann.call("message", {"room": "lobby", "text": "x"})
    assert answer == {"ok": True, "id": None, "history": "history_unavailable"}
    (tmp_path / "elsewhere").rename(tmp_path / "h.db")
    assert (await ann.call("message", {"room": "lobby", "text": "y"}))["id"] == 1
    assert await get(http, running, "/readyz") == (200, {"status": "ready"})


async def test_a_draining_server_is_not_ready(http: aiohttp.ClientSession) -> None:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(Config(port=0, drain=2)))
        session = await poll(http, running)
        await session.post("40/lab,")
        await session.post('42/lab,["echo",1]')
        ending = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.sleep(0.1)
        assert await get(http, running, "/readyz") == (503, {"status": "draining"})
        assert await get(http, running, "/healthz") == (200, {"status": "ok"})
        async with http.get(f"{running.url}/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 503
        await session.get()
        await ending


async def test_metrics(serve: Serve, connect: Connect, http: aiohttp.ClientSession) -> None:
    running = await serve(any_namespace=True)
    ann, bob = await connect(running), await connect(running, "/chat", transport="polling")
    await connect(running, '/so "strange\\')
    await ann.call("join", "lobby")
    await bob.call("join", "lobby")
    before = await metrics(http, running)
    assert before["nsroom_connections", "websocket"] == 2
    assert before["nsroom_connections", "polling"] == 1
    clients = {name: before["nsroom_clients", name] for name in ("/", "/chat", "/lab", "other")}
    assert clients == {"/": 1, "/chat": 1, "/lab": 0, "other": 1}
    assert [before["nsroom_rooms", name] for name in ("/", "/chat", "other")] == [1, 1, 0]
    for text in "abc":
        await ann.call("message", {"room": "lobby", "text": text})
    assert (await ann.call("nonsense"))["error"] == "unknown_event"
    await ann.client.disconnect()
    await asyncio.sleep(0.3)
    after = await metrics(http, running)

    def grown(name: str, label: str = "") -> float:
        return after[name, label] - before.get((name, label), 0)

    assert (grown("nsroom_events_total", "in"), grown("nsroom_events_total", "out")) == (4, 3)
    assert grown("nsroom_bytes_total", "in") > 100
    assert grown("nsroom_bytes_total", "out") > 300
    assert grown("nsroom_refusals_total", "unknown_event") == 1
    assert sum(value for (name, _), value in after.items() if name == "nsroom_endings_total") == 1
    assert grown("nsroom_connections", "websocket") == -1
    assert grown("nsroom_history_seconds_count") == 3
    assert after["nsroom_loop_lag_seconds_count", ""] >= 1
    assert after["nsroom_part_ok", "history"] == 1
    assert after["process_start_time_seconds", ""] > 1.6e9


async def test_another_host_is_refused(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve()
    async with http.get(f"{running.url}/metrics", headers={"Host": "evil.example"}) as response:
        assert response.status == 403
