"""The metrics in the Prometheus text format."""

import asyncio

import aiohttp

from nsroom_server.counters import Histogram
from tests.server.member import Connect, Serve
from tests.server.operations.test_endpoints import metrics


async def test_measurements(serve: Serve, connect: Connect, http: aiohttp.ClientSession) -> None:
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


def test_histograms_count_what_is_not_above_a_bound() -> None:
    histogram = Histogram()
    for seconds in (0, 0.001, 0.0011, 9):
        histogram.observe(seconds)
    assert histogram.counts == [2, 1, *[0] * 9, 1]
    assert histogram.total == 9.0021
