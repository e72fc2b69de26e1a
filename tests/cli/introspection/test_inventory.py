"""Sockets and servers as the events of an admin namespace describe them."""

from typing import Any

import pytest

from nsroom.introspection.inventory import parse_server, parse_socket

SOCKET = {
    "id": "s1",
    "nsp": "/chat",
    "rooms": ["s1", "lobby"],
    "handshake": {"issued": 1500, "headers": {"cookie": "secret"}},
}


def test_a_socket() -> None:
    socket = parse_socket(SOCKET)
    assert socket
    assert (socket.key, socket.rooms, socket.connected) == (("/chat", "s1"), {"s1", "lobby"}, 1_500_000)
    assert "secret" not in repr(socket)


@pytest.mark.parametrize("issued", [0, -1, None, "now"])
def test_a_handshake_without_a_time(issued: Any) -> None:
    socket = parse_socket({**SOCKET, "handshake": {"issued": issued}})
    assert socket
    assert socket.connected is None


@pytest.mark.parametrize("described", [None, 7, [], {}, {**SOCKET, "rooms": 7}, {**SOCKET, "id": None}])
def test_anything_else_is_not_a_socket(described: Any) -> None:
    assert parse_socket(described) is None


def test_a_server() -> None:
    namespaces = [{"name": "/chat", "socketsCount": 2}, {"name": 7}, None]
    server = parse_server({"serverId": "a", "clientsCount": 3, "namespaces": namespaces}, 9)
    assert server
    assert (server.id, server.namespaces, server.clients, server.at) == ("a", {"/chat": 2}, 3, 9)


@pytest.mark.parametrize("described", [None, {}, {"serverId": "a", "clientsCount": "3", "namespaces": []}])
def test_anything_else_is_not_a_server(described: Any) -> None:
    assert parse_server(described, 0) is None
