import random

from nsroom_server.cluster.entries import Place
from nsroom_server.cluster.members import Membership, Notice


def place(sid: str, room: str = "lobby", server: str = "one", namespace: str = "/") -> Place:
    return Place(server, namespace, room, sid)


def said(notices: list[Notice]) -> list[tuple[str, str | None, str, int]]:
    return [(event, to, payload["sid"], payload["members"]) for event, _, to, payload in notices]


def test_the_first_creates_and_the_last_deletes() -> None:
    rooms = Membership()
    assert said(rooms.join(place("a"), "ann")) == [
        ("create-room", None, "a", 1),
        ("join-room", "lobby", "a", 1),
    ]
    assert said(rooms.join(place("b", server="two"), None)) == [("join-room", "lobby", "b", 2)]
    assert rooms.leave("/", "lobby", "a")[0].payload == {
        "room": "lobby",
        "sid": "a",
        "nick": "ann",
        "members": 1,
    }
    assert said(rooms.leave("/", "lobby", "b")) == [("delete-room", None, "b", 0)]
    assert rooms.names("/") == []
    assert list(rooms.places) == []


def test_what_is_so_already_is_not_said() -> None:
    rooms = Membership()
    rooms.join(place("a"), None)
    assert rooms.join(place("a"), "ann") == []
    assert rooms.nick("a") == "ann"
    assert rooms.leave("/", "lobby", "b") == []
    assert rooms.leave("/", "other", "a") == []
    assert rooms.gone("nobody") == []


def test_a_server_takes_its_members_along() -> None:
    rooms = Membership()
    for sid, server in (("a", "one"), ("b", "two"), ("c", "two")):
        rooms.join(place(sid, server=server), None)
    rooms.join(place("c", room="own", server="two"), None)
    assert said(rooms.gone("two")) == [
        ("leave-room", "lobby", "b", 2),
        ("leave-room", "lobby", "c", 1),
        ("delete-room", None, "c", 0),
    ]
    assert list(rooms.members("/", "lobby", "own")) == ["a"]
    assert rooms.nick("c") is None


def test_recipients() -> None:
    rooms = Membership()
    for sid, room in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "y"), ("c", "z")):
        rooms.join(place(sid, room), None)
    assert rooms.recipients("/", ["x", "y"], []) == 3
    assert rooms.recipients("/", ["x", "y"], ["z"]) == 2
    assert rooms.recipients("/", ["x"], ["a"]) == 1
    assert rooms.recipients("/", ["nowhere"], []) == 0
    assert rooms.recipients("/chat", ["x"], []) == 0


def test_nothing_stays_behind() -> None:
    chance, rooms = random.Random(1), Membership()
    for _ in range(5000):
        where = place(
            str(chance.randrange(20)), str(chance.randrange(5)), namespace=chance.choice(["/", "/chat"])
        )
        where = Place(f"s{int(where.sid) % 3}", where.namespace, where.room, where.sid)
        if chance.random() < 0.5:
            rooms.join(where, None)
        elif chance.random() < 0.9:
            rooms.leave(where.namespace, where.room, where.sid)
        else:
            rooms.gone(where.server)
        listed = {
            (ns, room, sid)
            for ns in ("/", "/chat")
            for room in rooms.names(ns)
            for sid in rooms.members(ns, room)
        }
        assert listed == {(each.namespace, each.room, each.sid) for each in rooms.places}
    for server in ("s0", "s1", "s2"):
        rooms.gone(server)
    assert vars(rooms) == vars(Membership())
