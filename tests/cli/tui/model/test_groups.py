from nsroom.tui.model.groups import GroupKey, Groups
from tests.cli.tui.records import NOON, ack, emit, event, model, packet

PRICE = GroupKey("/chat", "price", False)
JOIN = GroupKey("/chat", "join", True)


def test_events_are_counted_by_name_namespace_and_direction() -> None:
    seen = model(
        event("price", bytes=94), event("price", namespace="/n"), event("price", bytes=61), emit("price")
    )
    groups = seen.groups.by_key
    assert {key: group.count for key, group in groups.items()} == {
        PRICE: 2,
        GroupKey("/n", "price", False): 1,
        GroupKey("/chat", "price", True): 1,
    }
    assert (groups[PRICE].smallest, groups[PRICE].largest, groups[PRICE].last) == (61, 94, 2)
    assert groups[GroupKey("/n", "price", False)].smallest is None


def test_the_median_round_trip_belongs_to_the_event() -> None:
    seen = model(emit("join", id=1), emit("join", id=2), emit("join", id=3))
    for id, trip in ((1, 9.0), (2, 1.0), (3, 2.0)):
        seen.add(ack("join", {"ok": True}, id=id)._replace(rtt_ms=trip))
    seen.add(packet("ack", event="join", id=9, args=[]))
    assert seen.groups.by_key[JOIN].median_trip() == 2.0
    assert list(seen.groups.by_key) == [JOIN]
    assert model(event("x")).groups.by_key[GroupKey("/chat", "x", False)].median_trip() is None


def test_the_rate() -> None:
    seen = model(*(event("price", time=NOON + at * 100_000) for at in range(20)))
    rate = seen.groups.by_key[PRICE].rate
    assert rate.per_second(NOON // 1_000_000 + 2) == 10


def test_with_a_filter_only_matching_events_are_counted() -> None:
    seen = model(event("price"), event("other"))
    seen.filter("event=price")
    seen.add(event("price"))
    seen.add(event("other"))
    assert {key.event: group.count for key, group in seen.shown_groups.by_key.items()} == {"price": 2}
    seen.filter("")
    assert {key.event: group.count for key, group in seen.shown_groups.by_key.items()} == {
        "price": 2,
        "other": 2,
    }


def test_names_are_limited() -> None:
    groups = Groups()
    for number in range(1500):
        groups.learn(event(f"e{number}"), number)
    groups.learn(event("x" * 1000), 1500)
    groups.learn(event("e1"), 1501)
    assert (len(groups.by_key), groups.ungrouped) == (1000, 501)
    assert groups.by_key[GroupKey("/chat", "e1", False)].count == 2
