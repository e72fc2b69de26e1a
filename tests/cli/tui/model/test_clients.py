"""The observed clients."""

from nsroom.tui.model.clients import Clients
from nsroom.tui.screen.sidebar import sidebar
from nsroom.tui.screen.status import status
from tests.cli.tui.records import NOON, event, observed, opened, packet, plain


def test_clients_are_connected_until_they_close_or_time_out() -> None:
    records = [opened("abc"), opened("def"), opened("ghi", interval=1000), event("hi", sid="jkl", time=NOON)]
    records.append(packet("close", "local", sid="def", time=NOON))
    assert "3 clients" in plain(status(observed(*records), 100))
    assert "2 clients" in plain(status(observed(*records, seconds=30), 100))
    assert plain(status(observed(*records, seconds=60), 100)).endswith(" 1 client")
    assert "0 clients" in plain(status(observed(*records, seconds=200), 100))


def test_leaving_a_namespace_disconnects_only_sockets_without_a_session() -> None:
    records = [opened("abc"), *(packet("disconnect", sid=sid, time=NOON) for sid in ("abc", "def"))]
    assert plain(status(observed(*records), 100)).endswith(" 1 client")


def test_the_number_of_clients_is_limited() -> None:
    viewed = observed(*(event("hi", sid=f"sid-{number}") for number in range(10_100)))
    assert viewed.model.clients is not None
    assert len(viewed.model.clients.by_sid) == 10_000
    assert viewed.model.clients.label("sid-0") == ""
    assert viewed.model.clients.label("sid-10099") == "#10100"
    assert len(sidebar(viewed, 24, 500)) <= 210


def test_a_list_of_the_server_says_who_is_connected() -> None:
    clients = Clients()
    clients.learn(packet("connect", sid="gone"))
    clients.sync(["one", "two"], NOON)
    late = NOON + 10**12
    assert [client.sid for client in clients.by_sid.values() if client.is_connected(late)] == ["one", "two"]
    clients.learn(packet("connect", sid="three"))
    assert clients.count_connected(late) == 3
    clients.sync(["two", "gone"], NOON)
    assert [client.sid for client in clients.by_sid.values() if client.is_connected(late)] == ["gone", "two"]
    assert clients.label("two") == "#3"


def test_an_event_to_several_clients_counts() -> None:
    clients = Clients()
    clients.learn(event("hi", sid=None, time=NOON))
    clients.learn(packet("close", "local", sid=None, time=NOON))
    assert clients.rate.per_second(NOON // 1_000_000 + 1) == 1
    assert clients.by_sid == {}
