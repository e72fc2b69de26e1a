"""The Prometheus text, read by Prometheus' own parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from nsroom_server.counters import BOUNDS, BusFigures
from nsroom_server.operations.prometheus import Metrics
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server


def families(metrics: Metrics, bus: BusFigures | None = None) -> dict[str, Metric]:
    """Return the metrics by name."""
    text = metrics.expose({"history": True, "bus": False}, bus)
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family: Metric, suffix: str = "") -> dict[str, float]:
    """Return the values by label."""
    name = family.name + suffix
    return {"".join(sample.labels.values()): sample.value for sample in family.samples if sample.name == name}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def metrics(server: Server) -> Metrics:
    return Metrics(server, frozenset({"/", "/chat"}), "uvloop")


def test_every_metric_has_a_type_and_a_help_text(metrics: Metrics) -> None:
    for family in families(metrics, BusFigures()).values():
        assert family.type in ("counter", "gauge", "histogram")
        assert family.documentation.endswith(".")


def test_namespaces_named_by_clients_are_counted_together(metrics: Metrics, server: Server) -> None:
    for number in range(3):
        server.rooms.add(Client(f"/any{number}", f"s{number}"), object())  # type: ignore[arg-type]
    assert values(families(metrics)["nsroom_clients"]) == {"/": 0, "/chat": 0, "other": 3}


def test_the_parts_of_the_server(metrics: Metrics) -> None:
    assert values(families(metrics)["nsroom_part_ok"]) == {"history": 1, "bus": 0}


def test_the_event_loop(metrics: Metrics) -> None:
    assert values(families(metrics)["nsroom_event_loop"]) == {"uvloop": 1}


def test_buckets_are_cumulative(metrics: Metrics) -> None:
    for seconds in (0.001, 0.002, 9):
        metrics.lag.observe(seconds)
    lag = families(metrics)["nsroom_loop_lag_seconds"]
    buckets = values(lag, "_bucket")
    assert len(buckets) == len(BOUNDS) + 1
    assert (buckets["0.001"], buckets["0.0025"], buckets["2.5"], buckets["+Inf"]) == (1, 2, 2, 3)
    assert (values(lag, "_count"), values(lag, "_sum")) == ({"": 3}, {"": 9.003})


def test_the_bus_of_a_cluster(metrics: Metrics) -> None:
    assert "nsroom_bus_behind" not in families(metrics)
    bus = families(metrics, BusFigures(published=2, received=3, written=9, read=5))
    assert values(bus["nsroom_bus_entries"], "_total") == {"in": 3, "out": 2}
    assert values(bus["nsroom_bus_behind"]) == {"": 4}


def test_failed_logins(metrics: Metrics, server: Server) -> None:
    assert values(families(metrics)["nsroom_login_failures"], "_total") == {"token": 0, "password": 0}
    server.engine.failed_logins["token"] += 2
    assert values(families(metrics)["nsroom_login_failures"], "_total") == {"token": 2, "password": 0}


@given(st.text(min_size=1))
def test_labels_are_escaped(reason: str) -> None:
    server = Server()
    server.engine.refusals[reason] = 7
    refusals = families(Metrics(server, frozenset(), "asyncio"))["nsroom_refusals"]
    assert values(refusals, "_total") == {reason: 7}
