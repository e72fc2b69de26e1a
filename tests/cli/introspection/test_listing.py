"""Rows of rooms and sockets, from the state of an admin namespace."""

import json

from nsroom.introspection.listing import rooms_view, sockets_view
from nsroom.output.tables import changes
from tests.cli.introspection.admin.test_state import ANN, BEN, after, described, sent


def test_secrets_of_the_handshake_are_not_kept() -> None:
    rows = sockets_view((), True)(after(sent("all_sockets", [described(ANN, "lobby")])))
    assert "secret" not in json.dumps(rows)
    assert rows[0]["connected"] == "2026-11-24T07:25:07.167000Z"


def test_changes_of_a_list() -> None:
    view = rooms_view((), None, False)
    before = view(after(sent("all_sockets", [described(ANN, "a", "b"), described(BEN, "b")])))
    later = view(after(sent("all_sockets", [described(ANN, "a"), described(BEN, "a", "c")])))
    assert [(row["room"], row.get("count")) for row in changes(before, later)] == [
        ("a", 2),
        ("c", 1),
        ("b", None),
    ]
    assert list(changes(before, later))[-1] == {"namespace": "/chat", "room": "b", "gone": True}
    assert list(changes(later, later)) == []
