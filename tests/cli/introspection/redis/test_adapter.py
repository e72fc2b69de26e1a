"""Names of channels in patterns."""

import pytest

from nsroom.introspection.redis.adapter import glob


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("socket.io#/chat#", "socket.io#/chat#"),
        ("a*b?c[d]", r"a\*b\?c\[d\]"),
        ("a\\b", r"a\\b"),
        ("a^b-c", r"a\^b\-c"),
    ],
)
def test_a_name_is_a_pattern_that_matches_only_itself(text: str, pattern: str) -> None:
    assert glob(text) == pattern
