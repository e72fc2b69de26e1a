from nsroom_server.engineio.rate_limits import AddressLimits
from nsroom_server.settings.limits import Limits
from nsroom_server.token_bucket import TokenBucket


def test_a_burst_then_a_rate() -> None:
    bucket = TokenBucket(2, 3)
    assert [bucket.take(0) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert bucket.take(0.5) == 0
    assert bucket.take(0.5) == 0.5
    assert [bucket.take(100) for _ in range(4)] == [0, 0, 0, 0.5]


def test_more_than_fits_waits_until_it_is_full_and_is_paid_for_later() -> None:
    bucket = TokenBucket(10, 100)
    assert bucket.take(0, 150) == 0
    assert bucket.take(0, 50) == 10
    assert bucket.take(10, 50) == 0


def test_an_address_is_forgotten_when_nothing_is_known_of_it() -> None:
    limits = AddressLimits(Limits(address_connects_burst=1, address_connects_per_second=1))
    for number in range(5000):
        assert limits.add_connection(str(number), number)
        limits.remove_connection(str(number))
    assert len(limits._addresses) <= 4097
    assert limits.add_connection("x", 5000)
    assert not limits.add_connection("x", 5000)
