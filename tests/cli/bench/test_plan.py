"""The members of each worker, and the request they send."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nsroom.bench.plan import Events, Load, Plan, endpoint_of, from_json
from nsroom.client.target import Target, Transport
from nsroom.errors import UsageError


@settings(deadline=None)
@given(st.integers(2, 200), st.integers(1, 20), st.integers(1, 8))
def test_every_client_is_in_one_worker_and_every_room_has_two_members(
    clients: int, rooms: int, workers: int
) -> None:
    load = Load(clients, rooms, workers)
    assume(rooms == 1 or rooms >= workers)
    assume(clients >= 2 * max(rooms, workers))
    load.check()
    members = [list(load.members(worker)) for worker in range(workers)]
    assert sorted(member.client for some in members for member in some) == list(range(clients))
    assert all(members)
    for room in range(rooms):
        in_room = [[member for member in some if member.room == room] for some in members]
        assert sum(map(len, in_room)) >= 2
        assert rooms == 1 or sum(map(bool, in_room)) == 1


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (Load(3, rooms=2), "--clients 3: at least 4 are needed"),
        (Load(3, workers=2), "--clients 3: at least 4 are needed"),
        (Load(100, rooms=2, workers=3), "--rooms 2 cannot be spread over --workers 3"),
    ],
)
def test_numbers_that_do_not_fit_together(load: Load, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load.check()


def test_the_request() -> None:
    target = Target(
        url="https://ann:s%40t@example.org:8443",
        path="/ws/",
        headers={"user-agent": "me", "X-Y": "1"},
        cookies={"a": "b", "c": "d"},
        query=(("k", "v w"),),
    )
    endpoint = endpoint_of(target, "192.0.2.1")
    first, *lines = endpoint.request.removesuffix("\r\n\r\n").split("\r\n")
    assert first == "GET /ws/?k=v+w&EIO=4&transport=websocket HTTP/1.1"
    assert {"Host: example.org:8443", "Cookie: a=b; c=d", "X-Y: 1", "user-agent: me"} <= set(lines)
    assert "Authorization: Basic YW5uOnNAdA==" in lines
    assert not [line for line in lines if line.startswith(("User-Agent", "Origin"))]
    assert (endpoint.port, endpoint.tls, endpoint.host) == (8443, True, "example.org")


def test_a_plan_travels_as_json() -> None:
    endpoint = endpoint_of(Target(auth={"token": "x"}), "127.0.0.1")
    plan = Plan(endpoint, Load(10, rate=2.5), Events(["a", 1], ["b", "{text}"], ["c"]), 3, "abc")
    assert from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target(transport=Transport.POLLING), "WebSocket only"),
        (Target(namespaces=("/a", "/b")), "bench loads one namespace, but 2 are given"),
    ],
)
def test_targets_that_cannot_be_loaded(target: Target, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        endpoint_of(target, "127.0.0.1")
