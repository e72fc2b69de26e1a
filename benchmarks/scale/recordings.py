"""Recordings: what their size costs the programs that read them."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count

from benchmarks.__main__ import NSROOM, measure
from benchmarks.scale.process import environment
from benchmarks.scale.subject import Series, Spent, Subject

_MEGABYTE = 10**6


def recordings(megabytes: int) -> Mapping[str, Spent]:
    """Measure reading a recording of this size."""
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        size = 0
        for line in _lines():
            size += file.write(line)
            if size >= megabytes * _MEGABYTE:
                break
        file.flush()
        return {name: _read(name, file.name) for name in ("show", "decode")}


def _lines() -> Iterator[bytes]:
    for number in count(1):
        args = [{"id": number, "room": "lobby", "from": "x" * 20, "text": f"{number} {'x' * 100}"}]
        frame = "42" + json.dumps(["message", *args], separators=(",", ":"))
        time = f"2026-01-01T00:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}000Z"
        record = {"time": time, "seq": number, "direction": "in", "kind": "event", "namespace": "/"}
        record |= {"event": "message", "args": args, "frames": [frame]}
        yield json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _read(command: str, path: str) -> Spent:
    cost = measure((NSROOM, command, path), environment())
    return Spent(cost.cpu, cost.peak * 1024)


SUBJECTS = (
    Subject(
        "recordings",
        "MB of a recording",
        (10, 30, 100, 300, 2000),
        (1, 3, 10),
        (Series("show", memory=0, is_whole=True), Series("decode", memory=0, is_whole=True)),
        recordings,
    ),
)
