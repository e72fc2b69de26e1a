"""Members of rooms, replicated from the entries."""

import random

from nsroom_server.cluster.entries import Membership
from nsroom_server.cluster.members import Members, PresenceEvent


def membership(sid: str, room: str = "lobby", server: str = "one", namespace: str = "/") -> Membership:
    return Membership(server, namespace, room, sid)


def summary(events: list[PresenceEvent]) -> list[tuple[str, str | None, str, int]]:
    return [(event, to, payload["sid"], payload["members"]) for event, _, to, payload in events]


def test_the_first_creates_and_the_last_deletes() -> None:
    members = Members()
    assert summary(members.join(membership("a"), "ann")) == [
        ("create-room", None, "a", 1),
        ("join-room", "lobby", "a", 1),
    ]
    assert summary(members.join(membership("b", server="two"), None)) == [("join-room", "lobby", "b", 2)]
    assert members.leave("/", "lobby", "a")[0].payload == {
        "room": "lobby",
        "sid": "a",
        "nick": "ann",
        "members": 1,
    }
    assert summary(members.leave("/", "lobby", "b")) == [("delete-room", None, "b", 0)]
    assert members.names("/") == []
    assert list(members.memberships) == []


def test_changes_that_change_nothing_are_not_reported() -> None:
    members = Members()
    members.join(membership("a"), None)
    assert members.join(membership("a"), "ann") == []
    assert members.nick("a") == "ann"
    assert members.leave("/", "lobby", "b") == []
    assert members.leave("/", "other", "a") == []
    assert members.remove_server("unknown") == []


def test_removing_a_server_removes_its_members() -> None:
    members = Members()
    for sid, server in (("a", "one"), ("b", "two"), ("c", "two")):
        members.join(membership(sid, server=server), None)
    members.join(membership("c", room="own", server="two"), None)
    assert summary(members.remove_server("two")) == [
        ("leave-room", "lobby", "b", 2),
        ("leave-room", "lobby", "c", 1),
        ("delete-room", None, "c", 0),
    ]
    assert list(members.members("/", "lobby", "own")) == ["a"]
    assert members.nick("c") is None


def test_recipients() -> None:
    members = Members()
    for sid, room in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "y"), ("c", "z")):
        members.join(membership(sid, room), None)
    assert members.count_recipients("/", ["x", "y"], []) == 3
    assert members.count_recipients("/", ["x", "y"], ["z"]) == 2
    assert members.count_recipients("/", ["x"], ["a"]) == 1
    assert members.count_recipients("/", ["nowhere"], []) == 0
    assert members.count_recipients("/chat", ["x"], []) == 0


def test_removed_members_leave_no_state() -> None:
    chance, members = random.Random(1), Members()
    for _ in range(5000):
        where = membership(
            str(chance.randrange(20)), str(chance.randrange(5)), namespace=chance.choice(["/", "/chat"])
        )
        where = Membership(f"s{int(where.sid) % 3}", where.namespace, where.room, where.sid)
        if chance.random() < 0.5:
            members.join(where, None)
        elif chance.random() < 0.9:
            members.leave(where.namespace, where.room, where.sid)
        else:
            members.remove_server(where.server)
        listed = {
            (ns, room, sid)
            for ns in ("/", "/chat")
            for room in members.names(ns)
            for sid in members.members(ns, room)
        }
        assert listed == {(each.namespace, each.room, each.sid) for each in members.memberships}
    for server in ("s0", "s1", "s2"):
        members.remove_server(server)
    assert vars(members) == vars(Members())
