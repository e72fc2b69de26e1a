"""A history file: what its size costs when the server starts, stores a message and looks one up."""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.scale.process import environment, spend
from benchmarks.scale.subject import Series, Spent, Subject
from benchmarks.serving import serve_command, serving
from nsroom_server.chat.sqlite_history import Ledger, Row, prepare
from nsroom_server.settings.limits import Retention

_PER_ROOM = 10_000
"""Messages of a room, so that 1,000 rooms have 10 million."""
_BATCH = 1000
_APPENDED = 2000
_JOINED = 50
_MISSED = 100
"""Messages that a join asks for."""
_WINDOW = 16
_LIMITS = ("--limit", "history_size=1000000000000", "--limit", "history_messages=1000000000")


def history(count: int) -> Mapping[str, Spent]:
    """Measure a server with a file of so many messages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        _fill(path, count)
        command = serve_command("--no-greeting", "--history", str(path), *_LIMITS)
        with serving(command, environment()) as served:
            served.rest()
            started = Spent(served.cpu, served.memory)
            crowd = Crowd(served.urls)
            talker, *joining = crowd.connect(1 + _JOINED)
            last = min(count, _PER_ROOM)
            missed = {"room": "room 0", "after": max(0, last - _MISSED)}
            packet = f"420{json.dumps(['join', missed])}"
            joined = spend(served, lambda: crowd.ask(joining, packet, b'430[{"ok":true'))
            crowd.ask([talker], '429999["join","mine"]', b"439999[")
            said = '["message",{"room":"mine","text":"%s"}]' % ("x" * 100)
            packets = [f"42{number}{said}" for number in range(_APPENDED)]
            stored = spend(served, lambda: crowd.talk(talker, packets, _WINDOW))
    return {"start": started, "`join` with `after`": Spent(joined.cpu), "append": Spent(stored.cpu)}


def _fill(path: Path, count: int) -> None:
    """Create a file with messages, in turn from all rooms."""
    ledger = Ledger(path, prepare(path))
    rooms, now = -(-count // _PER_ROOM), time.time()
    retention = Retention(messages=count, age=1e9, size=10**12)
    for begun in range(0, count, _BATCH):
        rows = [_row(number % rooms) for number in range(begun, min(count, begun + _BATCH))]
        ledger.append(rows, retention, now - (count - begun) / 1000)
    ledger.close()


def _row(room: int) -> Row:
    body = {"room": f"room {room}", "from": "x" * 20, "nick": None, "text": "x" * 100}
    return "/", f"room {room}", json.dumps(body)


SUBJECTS = (
    Subject(
        "history",
        "messages in the file",
        (1000, 10_000, 100_000, 1_000_000, 10_000_000),
        (1000, 10_000, 100_000),
        (
            Series("start", cpu=0, memory=0, is_whole=True),
            Series("`join` with `after`", cpu=0, count=_JOINED),
            Series("append", cpu=0, count=_APPENDED),
        ),
        history,
    ),
)
