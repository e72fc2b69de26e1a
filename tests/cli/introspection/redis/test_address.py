"""URLs of a Redis: what is connected to, and what messages show."""

import pytest

from nsroom.errors import UsageError
from nsroom.introspection.redis.address import Address, Sentinels, parse


@pytest.mark.parametrize(
    ("text", "name", "url", "is_cluster"),
    [
        ("redis://localhost", "redis://localhost", "redis://localhost", False),
        ("redis://u:secret@h:1/2?protocol=3", "redis://h:1/2", "redis://u:secret@h:1/2?protocol=3", False),
        ("rediss://:secret@h", "rediss://h", "rediss://:secret@h", False),
        ("valkey://[::1]:7/0", "valkey://[::1]:7/0", "redis://[::1]:7/0", False),
        ("valkeys://h", "valkeys://h", "rediss://h", False),
        (
            "unix:///run/r.sock?password=secret",
            "unix:///run/r.sock",
            "unix:///run/r.sock?password=secret",
            False,
        ),
        ("redis+cluster://u:secret@h:1", "redis+cluster://h:1", "redis://u:secret@h:1", True),
        ("rediss+cluster://h:1", "rediss+cluster://h:1", "rediss://h:1", True),
    ],
)
def test_a_url_is_that_of_the_library_and_its_name_has_no_credentials(
    text: str, name: str, url: str, is_cluster: bool
) -> None:
    address = parse(text)
    assert address == Address(name, url, is_cluster)
    assert "secret" not in repr(address)


def test_sentinels_have_a_service() -> None:
    address = parse("redis+sentinel://u:s%40cret@one:1,[::1]:2,three/4/main")
    options = {"db": 4, "username": "u", "password": "s@cret"}
    hosts = [("one", 1), ("::1", 2), ("three", 26379)]
    assert address == Sentinels("redis+sentinel://one:1,[::1]:2,three/4/main", hosts, "main", options)
    assert "cret" not in repr(address)


@pytest.mark.parametrize(
    "text",
    [
        "http://u:secret@h",
        "redis://",
        "redis://:secret@",
        "redis://u:secret@h:99999",
        "redis://u:secret@h:x",
        "redis://u:secret@[::1",
        "unix://",
        "redis+sentinel://u:secret@h:1",
        "redis+sentinel://u:secret@h:1/0",
        "redis+sentinel://u:secret@h:1/x/main",
        "redis+sentinel://u:secret@/0/main",
        "redis+sentinel://u:secret@h:1/0/main/more",
    ],
)
def test_other_urls_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a Redis; write redis://HOST:PORT") as refused:
        parse(text)
    assert "secret" not in str(refused.value)
