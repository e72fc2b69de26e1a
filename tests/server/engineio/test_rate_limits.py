"""What one address may have: connections, new connections per second and events per second."""

from nsroom_server.engineio.rate_limits import AddressLimits
from nsroom_server.settings.limits import Limits


def test_open_connections() -> None:
    limits = AddressLimits(Limits(connections_per_address=2))
    assert [limits.add_connection("a", 0) for _ in range(3)] == [None, None, "connections_per_address"]
    assert limits.add_connection("b", 0) is None
    limits.remove_connection("a")
    assert limits.add_connection("a", 0) is None


def test_new_connections_per_second() -> None:
    limits = AddressLimits(Limits(address_connects_per_second=2, address_connects_burst=1))
    exceeded = [limits.add_connection("a", now) for now in (0, 0.1, 0.6)]
    assert exceeded == [None, "address_connects_per_second", None]


def test_events_per_second() -> None:
    limits = AddressLimits(Limits(address_events_per_second=2, address_events_burst=1))
    limits.add_connection("a", 0)
    assert [limits.take_event("a", now) for now in (0, 0, 0.5)] == [0, 0.5, 0]


def test_failed_logins() -> None:
    limits = AddressLimits(Limits(failed_logins_per_second=1, failed_logins_burst=2))
    for name in ("a", "b"):
        limits.add_connection(name, 0)
    for _ in range(2):
        assert limits.may_log_in("a", 0)
        limits.add_failed_login("a", 0)
    assert not limits.may_log_in("a", 0.9)
    assert limits.may_log_in("b", 0)
    assert limits.may_log_in("a", 1)


def test_failed_logins_are_remembered_when_idle_addresses_are_removed() -> None:
    limits = AddressLimits(Limits(failed_logins_per_second=0.001, failed_logins_burst=1))
    limits.add_connection("a", 0)
    limits.add_failed_login("a", 0)
    limits.remove_connection("a")
    for number in range(5000):
        limits.add_connection(str(number), 1)
    assert not limits.may_log_in("a", 2)


def test_many_addresses_are_looked_through_when_they_have_doubled() -> None:
    limits = AddressLimits(Limits())
    for number in range(10_000):
        limits.add_connection(str(number), number / 1e6)
    assert limits._remove_above == 16_384


def test_idle_addresses_are_removed() -> None:
    limits = AddressLimits(Limits(address_connects_burst=1, address_connects_per_second=1))
    for number in range(5000):
        assert limits.add_connection(str(number), number) is None
        limits.remove_connection(str(number))
    assert len(limits._addresses) <= 4097
    assert limits.add_connection("x", 5000) is None
    assert limits.add_connection("x", 5000)
