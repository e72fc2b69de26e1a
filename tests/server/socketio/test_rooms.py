"""Who is in which room: the table against a naive one, and what a broadcast reaches."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import Batch, Outgoing, PacketType
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.rooms import Room, Rooms

ANN, BOB, EVE = (Client("/", name) for name in ("ann", "bob", "eve"))
STRANGER = Client("/chat", "zoe")
PACKETS = [Outgoing(PacketType.MESSAGE, '51-["x"]'), Outgoing(PacketType.MESSAGE, b"1")]


def soon(rooms: "Rooms[Inbox]") -> None:
    """Let the rooms send what is broadcast at the end of this turn of the loop."""
    asyncio.get_running_loop().call_soon(rooms.catch_up)


class Inbox:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Sequence[Outgoing]] = []

    def send_batch(self, batch: Batch) -> None:
        self.sent += batch.groups


@pytest.fixture
def rooms() -> Rooms[Inbox]:
    """Three sockets in a namespace, one in another; ann and bob are in a room, bob and eve in another."""
    rooms: Rooms[Inbox] = Rooms(lambda: soon(rooms))
    for client in (ANN, BOB, EVE, STRANGER):
        rooms.add(client, Inbox())
    for client, room in ((ANN, "lobby"), (BOB, "lobby"), (EVE, "den"), (BOB, "den"), (STRANGER, "lobby")):
        assert rooms.enter(client, room)
    return rooms


def test_a_namespace_exists_while_it_has_sockets(rooms: Rooms[Inbox]) -> None:
    assert list(rooms.namespaces) == ["/", "/chat"]
    rooms.remove(STRANGER)
    assert list(rooms.namespaces) == ["/"]
    assert not rooms.sockets("/chat")
    assert rooms.names("/chat") == []
    assert list(rooms.joined(STRANGER)) == []
    assert rooms.get(STRANGER) is None


def test_a_room_exists_while_it_has_members(rooms: Rooms[Inbox]) -> None:
    assert rooms.names("/") == ["lobby", "den"]
    assert rooms.leave(ANN, "lobby")
    assert not rooms.leave(ANN, "lobby")
    rooms.remove(BOB)
    assert rooms.names("/") == ["den"]
    assert list(rooms.members("/", "den")) == ["eve"]
    assert rooms.size("/", "lobby") == 0


def test_members_come_in_the_order_in_which_they_entered(rooms: Rooms[Inbox]) -> None:
    assert not rooms.enter(EVE, "den")
    assert list(rooms.members("/", "den")) == ["eve", "bob"]
    assert list(rooms.members("/", "den", "lobby", "nowhere")) == ["eve", "bob", "ann"]
    assert list(rooms.members("/")) == []


def test_the_rooms_of_a_socket_are_not_copied(rooms: Rooms[Inbox]) -> None:
    joined = rooms.joined(BOB)
    assert list(joined) == ["lobby", "den"]
    assert rooms.enter(BOB, "attic")
    assert "attic" in joined


def test_a_socket_has_a_room_of_its_own(rooms: Rooms[Inbox]) -> None:
    assert rooms.is_sid("/", "ann")
    assert not rooms.is_sid("/chat", "ann")
    assert rooms.members("/", "ann") == {"ann": rooms.get(ANN)}
    assert rooms.size("/", "ann") == 1
    assert "ann" not in rooms.joined(ANN)
    assert "ann" not in rooms.names("/")


@pytest.mark.parametrize("client", [ANN, BOB])
def test_no_socket_enters_or_leaves_a_sockets_own_room(rooms: Rooms[Inbox], client: Client) -> None:
    with pytest.raises(ValueError, match="a socket's own"):
        rooms.enter(client, "ann")
    assert not rooms.leave(client, "ann")
    assert rooms.size("/", "ann") == 1


@pytest.mark.parametrize("client", [Client("/", "nobody"), Client("/nowhere", "ann")])
def test_an_unknown_socket(rooms: Rooms[Inbox], client: Client) -> None:
    with pytest.raises(KeyError):
        rooms.enter(client, "lobby")
    assert not rooms.leave(client, "lobby")
    rooms.remove(client)
    assert rooms.get(client) is None
    assert list(rooms.namespaces) == ["/", "/chat"]
    assert rooms.size("/", "lobby") == 2


@pytest.mark.parametrize(
    ("to", "skip", "reached"),
    [
        (None, [], "ann bob eve"),
        (None, ["bob", "nobody"], "ann eve"),
        ("lobby", [], "ann bob"),
        ("nowhere", [], ""),
        ("eve", [], "eve"),
        (["lobby"], ["ann"], "bob"),
        (["lobby", "den"], [], "ann bob eve"),
        (["den", "ann"], ["eve"], "ann bob"),
        ([], [], ""),
    ],
)
async def test_a_broadcast_reaches_each_recipient_once(
    rooms: Rooms[Inbox], to: Room, skip: list[str], reached: str
) -> None:
    assert rooms.broadcast(PACKETS, "/", to, skip) == len(reached.split())
    await asyncio.sleep(0)
    for client in (ANN, BOB, EVE, STRANGER):
        inbox = rooms.get(client)
        assert inbox
        wanted = client.namespace == "/" and client.sid in reached.split()
        assert inbox.sent == ([PACKETS] if wanted else [])


def test_a_broadcast_to_a_namespace_without_sockets() -> None:
    rooms: Rooms[Inbox] = Rooms(lambda: soon(rooms))
    assert rooms.broadcast(PACKETS, "/") == 0


async def test_skipping_changes_no_room(rooms: Rooms[Inbox]) -> None:
    rooms.broadcast(PACKETS, "/", "lobby", ["ann"])
    rooms.broadcast(PACKETS, "/", None, rooms.members("/", "lobby", "den"))
    assert rooms.size("/", "lobby") == 2
    assert len(rooms.sockets("/")) == 3


Naive = dict[Client, dict[str, None]]
"""The rooms of each socket, which is all there is to know but the order of members."""

NAMESPACES, ROOMS = ("/", "/chat"), ("lobby", "den", "ops")
CLIENTS = [Client(namespace, f"{namespace}{number}") for namespace in NAMESPACES for number in range(3)]


def naive_add(model: Naive, client: Client, _room: str) -> None:
    model.setdefault(client, {})


def naive_enter(model: Naive, client: Client, room: str) -> None:
    if client in model:
        model[client][room] = None


def naive_leave(model: Naive, client: Client, room: str) -> None:
    model.get(client, {}).pop(room, None)


def naive_remove(model: Naive, client: Client, _room: str) -> None:
    model.pop(client, None)


def table_add(table: Rooms[Inbox], client: Client, _room: str) -> None:
    if table.get(client) is None:
        table.add(client, Inbox())


def table_enter(table: Rooms[Inbox], client: Client, room: str) -> None:
    if table.get(client):
        table.enter(client, room)


def table_leave(table: Rooms[Inbox], client: Client, room: str) -> None:
    table.leave(client, room)


def table_remove(table: Rooms[Inbox], client: Client, _room: str) -> None:
    table.remove(client)


Steps = tuple[Callable[[Rooms[Inbox], Client, str], None], Callable[[Naive, Client, str], None]]
STEPS: list[Steps] = [
    (table_add, naive_add),
    (table_enter, naive_enter),
    (table_leave, naive_leave),
    (table_remove, naive_remove),
]


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(CLIENTS), st.sampled_from(ROOMS))))
def test_the_table_is_what_a_naive_one_would_be(history: list[tuple[Steps, Client, str]]) -> None:
    table: Rooms[Inbox] = Rooms(lambda: soon(table))
    model: Naive = {}
    for (act, act_naively), client, room in history:
        act(table, client, room)
        act_naively(model, client, room)
    assert set(table.namespaces) == {client.namespace for client in model}
    for client in CLIENTS:
        assert list(table.joined(client)) == list(model.get(client, ()))
        assert table.is_sid(client.namespace, client.sid) == (client in model)
    for namespace in NAMESPACES:
        here = {client.sid: joined for client, joined in model.items() if client.namespace == namespace}
        assert list(table.sockets(namespace)) == list(here)
        assert set(table.names(namespace)) == {room for joined in here.values() for room in joined}
        for room in ROOMS:
            members = {sid for sid, joined in here.items() if room in joined}
            assert set(table.members(namespace, room)) == members
            assert set(table.recipients(namespace, None, members)) == here.keys() - members
            assert table.size(namespace, room) == len(members)
