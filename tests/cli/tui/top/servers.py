"""Sources for the model of `top`, and models after some steps."""

from typing import Any

from nsroom.introspection.inventory import Socket
from nsroom.record import Record
from nsroom.tui.top.activity import Snapshot
from nsroom.tui.top.model import Model
from nsroom.tui.top.screen import body
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import NOON, plain

SECOND = 1_000_000


def socket(sid: str, *rooms: str, namespace: str = "/chat", **fields: Any) -> Socket:
    return Socket(namespace, sid, frozenset([sid, *rooms]), is_described=True, **fields)


class Sockets:
    """A source of snapshots with sockets that a test can change."""

    def __init__(self, *sockets: Socket, **fields: Any) -> None:
        self.sockets = list(sockets)
        self.fields = fields

    def __call__(self, _now: int) -> Snapshot:
        counts: dict[str, int] = {}
        for each in self.sockets:
            counts[each.namespace] = counts.get(each.namespace, 0) + 1
        return Snapshot(self.sockets, **{"population": counts, **self.fields})


def open_pages(server: Sockets, *down: str, **options: Any) -> Model:
    """Return a model after opening the rows of these names."""
    model = Model(server, **options)
    model.tick(NOON)
    for name in down:
        select(model, name)
        model.enter()
    return model


def select(model: Model, name: str) -> None:
    names = listed(model)
    model.home()
    model.move(names.index(name))


def listed(model: Model) -> list[Any]:
    return [row.values[0] for row in model.rows]


def advance(model: Model, seconds: float = 1) -> Model:
    model.tick(model.now + round(seconds * SECOND))
    return model


def shown(model: Model, width: int = 80, height: int = 12) -> list[str]:
    return [plain(line) for line in body(TopView(model, "localhost:3000", "via /admin"), width, height)]


def learn(model: Model, *records: Record) -> None:
    model.learn(records, model.now)
    advance(model)
