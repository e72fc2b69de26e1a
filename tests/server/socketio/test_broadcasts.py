"""Broadcasts of one turn of the loop, against sending each at once."""

import asyncio
from itertools import count

from hypothesis import example, given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import Batch, Outgoing, PacketType
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.rooms import Rooms

CLIENTS = [Client("/chat" if number > 2 else "/", f"sid{number}") for number in range(5)]
ROOMS = ("lobby", "den")
STEPS = st.one_of(
    st.tuples(st.sampled_from(("add", "remove", "answer")), st.sampled_from(CLIENTS)),
    st.tuples(st.sampled_from(("enter", "leave")), st.sampled_from(CLIENTS), st.sampled_from(ROOMS)),
    st.tuples(
        st.just("broadcast"),
        st.sampled_from(("/", "/chat")),
        st.sampled_from((None, None, *ROOMS, "sid1", ROOMS)),
        st.sampled_from(((), (), (), ("sid0",))),
    ),
    st.tuples(st.sampled_from(("long", "turn"))),
)


def soon(rooms: "Rooms[Inbox]") -> None:
    """Let the rooms send what is broadcast at the end of this turn of the loop."""
    asyncio.get_running_loop().call_soon(rooms.catch_up)


class Inbox:
    """A connection that keeps the packets it is sent, in order."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.batches = 0

    def send_batch(self, batch: Batch) -> None:
        self.batches += 1
        for packets in batch.groups:
            self.sent += packets


def packet(number: int, size: int = 1) -> Outgoing:
    return Outgoing(PacketType.MESSAGE, f"{number}{'x' * size}")


@example([("leave", CLIENTS[0], "lobby"), ("broadcast", "/", None, ()), ("remove", CLIENTS[0])])
@example([("enter", CLIENTS[0], "den"), ("broadcast", "/", "den", ()), ("enter", CLIENTS[1], "den")])
@given(steps=st.lists(STEPS, min_size=30, max_size=60))
async def test_every_socket_receives_what_it_would_at_once(steps: list[tuple[object, ...]]) -> None:
    rooms: Rooms[Inbox] = Rooms(lambda: soon(rooms))
    expected: dict[Inbox, list[Outgoing]] = {}
    numbers = count()
    for client in CLIENTS:
        rooms.add(client, inbox := Inbox())
        rooms.enter(client, "lobby")
        expected[inbox] = []
    for step in steps:
        match step:
            case "add", Client() as client:
                rooms.add(client, inbox := Inbox())
                expected[inbox] = []
            case "remove", Client() as client:
                rooms.remove(client)
            case "enter", Client() as client, str(room) if rooms.get(client):
                rooms.enter(client, room)
            case "leave", Client() as client, str(room):
                rooms.leave(client, room)
            case "answer", Client() as client if inbox := rooms.get(client):
                rooms.catch_up(client.sid)
                answer = packet(next(numbers))
                inbox.sent.append(answer)
                expected[inbox].append(answer)
            case "broadcast", str(namespace), to, skip:
                packets = [packet(next(numbers)), Outgoing(PacketType.MESSAGE, b"1")]
                for each in rooms.recipients(namespace, to, skip).values():  # type: ignore[arg-type]
                    expected[each] += packets
                rooms.broadcast(packets, namespace, to, skip)  # type: ignore[arg-type]
            case ("long",):
                long = packet(next(numbers), 20_000)
                for each in rooms.sockets("/").values():
                    expected[each].append(long)
                rooms.broadcast([long], "/")
            case ("turn",):
                await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(inbox.sent == packets for inbox, packets in expected.items())


async def test_broadcasts_of_one_turn_are_one_batch() -> None:
    rooms: Rooms[Inbox] = Rooms(lambda: soon(rooms))
    first, second = Inbox(), Inbox()
    rooms.add(CLIENTS[0], first)
    greetings = [packet(number) for number in range(3)]
    rooms.broadcast(greetings[:1], "/")
    rooms.add(CLIENTS[1], second)
    for greeting in greetings[1:]:
        rooms.broadcast([greeting], "/")
    assert not first.sent
    await asyncio.sleep(0)
    assert (first.sent, first.batches) == (greetings, 1)
    assert (second.sent, second.batches) == (greetings[1:], 1)


async def test_a_lot_is_sent_before_the_end_of_the_turn() -> None:
    rooms: Rooms[Inbox] = Rooms(lambda: soon(rooms))
    rooms.add(CLIENTS[0], inbox := Inbox())
    rooms.broadcast([packet(1, 10_000)], "/")
    assert not inbox.sent
    rooms.broadcast([packet(2, 10_000)], "/")
    assert len(inbox.sent) == 2
