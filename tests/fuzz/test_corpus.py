"""Every kept input: real frames, and what once broke a parser."""

import tracemalloc
from pathlib import Path

import pytest

from tests.fuzz.properties import TARGETS, check

CORPUS = Path(__file__).parent / "corpus"
INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())
BYTES, BYTES_PER_BYTE = 2_000_000, 1000
"""The memory that an input may take: caches, and a value of 70 bytes for each byte, several times over."""


def test_every_target_has_a_corpus() -> None:
    assert {path.parent.name for path in INPUTS} == set(TARGETS)
    assert max(path.stat().st_size for path in INPUTS) < 10_000


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input(path: Path) -> None:
    data = path.read_bytes()
    tracemalloc.start()
    try:
        check(path.parent.name, data)
        assert tracemalloc.get_traced_memory()[1] < BYTES + BYTES_PER_BYTE * len(data)
    finally:
        tracemalloc.stop()
