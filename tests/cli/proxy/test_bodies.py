"""HTTP bodies, compressed or not."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from nsroom.proxy.bodies import Collected

TEXT = b'40{"sid":"x"}' * 20


def collected(*parts: bytes, limit: int = 1000) -> Collected:
    body = Collected(limit)
    for part in parts:
        body.add(part)
    return body


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
    ],
)
def test_encodings(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    data = pack(TEXT)
    assert collected(data[:7], b"", data[7:]).decoded(encoding) == TEXT


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (collected(TEXT), "br", "compressed with br"),
        (collected(TEXT), "gzip", "cannot be decompressed"),
        (collected(bytes(600), bytes(600)), "", "it has 1200 bytes"),
        (collected(gzip.compress(bytes(5000))), "gzip", "more than 1000 bytes"),
    ],
)
def test_bodies_that_cannot_be_shown(body: Collected, encoding: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        body.decoded(encoding)


def test_small_parts_take_little_memory() -> None:
    body = Collected()
    tracemalloc.start()
    for _ in range(50_000):
        body.add(bytes(2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000
    assert body.decoded("") == bytes(100_000)


def test_nothing_is_kept_beyond_the_limit() -> None:
    body = collected(bytes(900), bytes(900), bytes(10))
    assert (body.size, bytes(body.data)) == (1810, b"")
