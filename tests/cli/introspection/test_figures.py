"""Figures of a server, as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from nsroom.introspection.figures import MAX_NAMES, OTHER, Figures
from nsroom.introspection.inventory import Inventory, Socket
from nsroom.record import Direction, Kind, Record

Found = dict[tuple[str, ...], float]


def record(kind: Kind, namespace: str = "/", direction: Direction = Direction.IN, event: str = "e") -> Record:
    return Record(0, 0, direction, kind, namespace, event=event if kind is Kind.EVENT else None, sid="s")


def known(*sockets: Socket) -> Inventory:
    state = Inventory("/admin", "/admin")
    state.features, state.listed = [], True
    state.sockets = {each.key: each for each in sockets}
    return state


def found(figures: Figures) -> dict[str, Found]:
    """Return the values of each family by its labels' values."""
    families = text_string_to_metric_families(figures.expose(0))
    return {
        family.name.removeprefix("socketio_"): {
            tuple(each.labels.values()): each.value for each in family.samples
        }
        for family in families
    }


def test_sockets_and_rooms_without_those_of_the_sockets_themselves() -> None:
    ann = Socket("/", "ann", frozenset(["ann", "lobby", 7]), server="one")
    bob = Socket("/", "bob", frozenset(["bob", "lobby"]), server="two")
    cat = Socket("/chat", "cat", frozenset(["cat"]))
    watcher = Socket("/admin", "me", frozenset(["me"]))
    seen = found(Figures(known(ann, bob, cat, watcher)))
    assert (seen["up"], seen["servers"]) == ({(): 1}, {(): 2})
    assert seen["sockets"] == {("/",): 2, ("/chat",): 1}
    assert seen["rooms"] == {("/",): 2, ("/chat",): 0}
    assert ("/admin",) in found(Figures(known(watcher), all=True))["sockets"]
    assert found(Figures(known(ann, cat), ["/chat", "/empty"]))["sockets"] == {("/chat",): 1, ("/empty",): 0}


def test_what_the_sockets_do() -> None:
    figures = Figures(known())
    figures.learn([record(Kind.CONNECT), record(Kind.CONNECT), record(Kind.DISCONNECT)])
    figures.learn([record(Kind.EVENT), record(Kind.EVENT), record(Kind.EVENT, direction=Direction.OUT)])
    figures.learn([record(Kind.EVENT, direction=Direction.LOCAL), record(Kind.EVENT, "/admin")])
    seen = found(figures)
    assert (seen["connects"], seen["disconnects"]) == ({("/",): 2}, {("/",): 1})
    assert seen["events"] == {("/", "e", "in"): 2, ("/", "e", "out"): 1}


def test_names_are_bounded_and_escaped() -> None:
    figures = Figures(known())
    hostile = 'a"b\\c\nd\ud800' + "x" * 200
    figures.learn([record(Kind.EVENT, event=hostile)])
    figures.learn([record(Kind.EVENT, event=f"e{number}") for number in range(MAX_NAMES + 5)])
    events = found(figures)["events"]
    assert len(events) == MAX_NAMES + 1
    assert events["/", OTHER, "in"] == 6
    assert any(name.startswith('a"b\\c\nd') and len(name) < 120 for _, name, _ in events)


def test_while_the_server_is_not_seen() -> None:
    state = known(Socket("/", "ann"))
    state.reset()
    seen = found(Figures(state))
    assert (seen["up"], seen["sockets"], seen["rooms"]) == ({(): 0}, {}, {})
