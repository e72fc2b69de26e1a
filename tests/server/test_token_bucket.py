"""A token bucket: a burst, then a rate."""

from nsroom_server.token_bucket import TokenBucket


def test_a_burst_then_a_rate() -> None:
    bucket = TokenBucket(2, 3)
    assert [bucket.take(0) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert bucket.take(0.5) == 0
    assert bucket.take(0.5) == 0.5
    assert [bucket.take(100) for _ in range(4)] == [0, 0, 0, 0.5]


def test_more_than_the_burst_needs_a_full_bucket_and_leaves_a_debt() -> None:
    bucket = TokenBucket(10, 100)
    assert bucket.take(0, 150) == 0
    assert bucket.take(0, 50) == 10
    assert bucket.take(10, 50) == 0


def test_a_bucket_is_full_again_after_a_time() -> None:
    bucket = TokenBucket(2, 3)
    bucket.take(0, 2)
    assert [bucket.is_full(now) for now in (0, 0.9, 1)] == [False, False, True]
