import random

from nsroom_server.cluster.entries import Membership
from nsroom_server.cluster.members import Members, PresenceEvent


def membership(sid: str, room: str = "lobby", server: str = "one", namespace: str = "/") -> Membership:
    return Membership(server, namespace, room, sid)


def summary(events: list[PresenceEvent]) -> list[tuple[str, str | None, str, int]]:
    return [(event, to, payload["sid"], payload["members"]) for event, _, to, payload in events]


def test_the_first_creates_and_the_last_deletes() -> None:
    rooms = Members()
    assert summary(rooms.join(membership("a"), "ann")) == [
        ("create-room", None, "a", 1),
        ("join-room", "lobby", "a", 1),
    ]
    assert summary(rooms.join(membership("b", server="two"), None)) == [("join-room", "lobby", "b", 2)]
    assert rooms.leave("/", "lobby", "a")[0].payload == {
        "room": "lobby",
        "sid": "a",
        "nick": "ann",
        "members": 1,
    }
    assert summary(rooms.leave("/", "lobby", "b")) == [("delete-room", None, "b", 0)]
    assert rooms.names("/") == []
    assert list(rooms.memberships) == []


def test_what_is_so_already_is_not_said() -> None:
    rooms = Members()
    rooms.join(membership("a"), None)
    assert rooms.join(membership("a"), "ann") == []
    assert rooms.nick("a") == "ann"
    assert rooms.leave("/", "lobby", "b") == []
    assert rooms.leave("/", "other", "a") == []
    assert rooms.remove_server("nobody") == []


def test_a_server_takes_its_members_along() -> None:
    rooms = Members()
    for sid, server in (("a", "one"), ("b", "two"), ("c", "two")):
        rooms.join(membership(sid, server=server), None)
    rooms.join(membership("c", room="own", server="two"), None)
    assert summary(rooms.remove_server("two")) == [
        ("leave-room", "lobby", "b", 2),
        ("leave-room", "lobby", "c", 1),
        ("delete-room", None, "c", 0),
    ]
    assert list(rooms.members("/", "lobby", "own")) == ["a"]
    assert rooms.nick("c") is None


def test_recipients() -> None:
    rooms = Members()
    for sid, room in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "y"), ("c", "z")):
        rooms.join(membership(sid, room), None)
    assert rooms.count_recipients("/", ["x", "y"], []) == 3
    assert rooms.count_recipients("/", ["x", "y"], ["z"]) == 2
    assert rooms.count_recipients("/", ["x"], ["a"]) == 1
    assert rooms.count_recipients("/", ["nowhere"], []) == 0
    assert rooms.count_recipients("/chat", ["x"], []) == 0


def test_nothing_stays_behind() -> None:
    chance, rooms = random.Random(1), Members()
    for _ in range(5000):
        where = membership(
            str(chance.randrange(20)), str(chance.randrange(5)), namespace=chance.choice(["/", "/chat"])
        )
        where = Membership(f"s{int(where.sid) % 3}", where.namespace, where.room, where.sid)
        if chance.random() < 0.5:
            rooms.join(where, None)
        elif chance.random() < 0.9:
            rooms.leave(where.namespace, where.room, where.sid)
        else:
            rooms.remove_server(where.server)
        listed = {
            (ns, room, sid)
            for ns in ("/", "/chat")
            for room in rooms.names(ns)
            for sid in rooms.members(ns, room)
        }
        assert listed == {(each.namespace, each.room, each.sid) for each in rooms.memberships}
    for server in ("s0", "s1", "s2"):
        rooms.remove_server(server)
    assert vars(rooms) == vars(Members())
