"""Connections, rooms, members of a room and namespaces of a connection, on a server that keeps no history."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.crowd import Crowd, Member
from benchmarks.scale.process import environment, spend
from benchmarks.scale.subject import Series, Spent, Subject
from benchmarks.serving import Served, serve_command, serving

_SOURCES = [f"127.0.1.{number}" for number in range(1, 9)]
"""Addresses of the clients: each has fewer connections than one address may have, and ports of its own."""
_OWNERS = 10
"""Clients with rooms. Few, as a new room is announced to the whole namespace."""
_BATCH = 250
"""Members that join at once: the announcements of more could fill the queues."""
_CONNECTIONS = 20
"""Connections that are in many namespaces."""
_TIMES = 20
_ANSWERED = b'430[{"ok":true'


@contextmanager
def _server(*options: str) -> Iterator[tuple[Served, Crowd]]:
    """Start a server, and clients that have each been connected once."""
    with serving(serve_command("--history", "none", *options), environment()) as served:
        crowd = Crowd(served.urls, _SOURCES)
        crowd.close(crowd.connect(10))
        yield served, crowd
        crowd.close(crowd.members)


def connections(count: int) -> Mapping[str, Spent]:
    """Measure connections that receive nothing."""
    with _server("--no-greeting") as (served, crowd):
        connected = spend(served, lambda: crowd.connect(count))
        closed = spend(served, lambda: crowd.close(crowd.members))
    return {"connect": connected, "disconnect": Spent(closed.cpu)}


def greeting(count: int) -> Mapping[str, Spent]:
    """Measure connections that are all greeted whenever a client connects."""
    with _server() as (served, crowd):

        def connect() -> None:
            crowd.connect(count)
            crowd.settle()

        return {"connect": spend(served, connect)}


def rooms(count: int) -> Mapping[str, Spent]:
    """Measure rooms with one member each."""
    with _server("--no-greeting", "--limit", "rooms_per_socket=1000000") as (served, crowd):
        crowd.connect(_OWNERS)
        joined = spend(served, lambda: _join_rooms(crowd, count))
        asked = spend(served, lambda: _ask(crowd, '["rooms"]'))
        left = spend(served, lambda: crowd.close(crowd.members))
    return {"join": joined, "`rooms`": Spent(asked.cpu), "leave by disconnecting": Spent(left.cpu)}


def _join_rooms(crowd: Crowd, count: int) -> None:
    members = crowd.members
    for begun in range(0, count, len(members)):
        joining = members[: count - begun]
        for number, member in enumerate(joining, begun):
            member.send(f'420["join","room {number}"]')
        crowd.wait(joining, _ANSWERED)


def members(count: int) -> Mapping[str, Spent]:
    """Measure the members of one room, to whom every further member is announced."""
    with _server("--no-greeting") as (served, crowd):
        crowd.connect(count)
        joined = spend(served, lambda: _join_room(crowd))
        asked = spend(served, lambda: _ask(crowd, '["who",{"room":"room"}]'))
        text = '["message",{"room":"room","text":"%s"}]' % ("x" * 100)
        said = spend(served, lambda: _say(crowd, text))
    return {"join": joined, "`who`": Spent(asked.cpu), "message": Spent(said.cpu)}


def _join_room(crowd: Crowd) -> None:
    for begun in range(0, len(crowd.members), _BATCH):
        crowd.ask(crowd.members[begun : begun + _BATCH], '420["join","room"]', _ANSWERED)
        crowd.settle(0.05)


def _ask(crowd: Crowd, event: str) -> None:
    for number in range(_TIMES):
        crowd.ask(crowd.members[:1], f"42{number}{event}", b"43%d[" % number)


def _say(crowd: Crowd, event: str) -> None:
    _ask(crowd, event)
    crowd.settle(0.05)


def namespaces(count: int) -> Mapping[str, Spent]:
    """Measure connections that are in many namespaces."""
    limits = ("--limit", "namespaces_per_connection=1000000")
    with _server("--no-greeting", "--any-namespace", *limits) as (served, crowd):
        crowd.connect(_CONNECTIONS)
        connected = spend(served, lambda: _enter(crowd, crowd.members, count))
        closed = spend(served, lambda: crowd.close(crowd.members))
    return {"connect": connected, "disconnect": Spent(closed.cpu)}


def _enter(crowd: Crowd, members: list[Member], count: int) -> None:
    for number in range(count):
        crowd.ask(members, f"40/{number},", b'40/%d,{"sid"' % number)


SUBJECTS = (
    Subject(
        "connections",
        "connections",
        (100, 300, 1000, 3000, 10_000, 20_000),
        (30, 100, 300, 1000),
        (Series("connect"), Series("disconnect")),
        connections,
        connects=True,
    ),
    Subject(
        "greeting",
        "connections in one namespace",
        (100, 300, 1000, 3000),
        (100, 300, 600),
        (Series("connect", cpu=2, reason="each is announced to all others; --no-greeting leaves it out"),),
        greeting,
        connects=True,
    ),
    Subject(
        "rooms",
        f"rooms of {_OWNERS} clients",
        (1, 100, 1000, 10_000, 30_000, 100_000),
        (1, 300, 1000, 3000),
        (Series("join"), Series("`rooms`", count=_TIMES), Series("leave by disconnecting")),
        rooms,
    ),
    Subject(
        "members",
        "members of a room",
        (10, 100, 300, 1000, 3000, 10_000),
        (30, 100, 300),
        (
            Series("join", cpu=2, reason="each is announced to all others"),
            Series("`who`", count=_TIMES),
            Series("message", count=_TIMES),
        ),
        members,
        connects=True,
    ),
    Subject(
        "namespaces",
        f"namespaces of each of {_CONNECTIONS} connections",
        (1, 3, 10, 30, 100, 300, 1000),
        (3, 10, 30, 100),
        (Series("connect", count=_CONNECTIONS), Series("disconnect", count=_CONNECTIONS)),
        namespaces,
    ),
)
