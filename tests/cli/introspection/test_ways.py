"""The ways to see a server from inside, each with its observer."""

import pytest

from nsroom.client.target import Target
from nsroom.introspection.admin.client import Admin
from nsroom.introspection.attach.observer import Attach
from nsroom.introspection.redis.observer import RedisObserver
from nsroom.introspection.ways import AdminWay, AttachWay, RedisWay, Way

TARGET = Target(url="http://localhost:3000", namespaces=("/admin",))


@pytest.mark.parametrize(
    ("way", "name", "kind"),
    [
        (AdminWay(TARGET), "/admin", Admin),
        (RedisWay("redis://:secret@localhost", "redis://localhost"), "redis://localhost", RedisObserver),
        (AttachWay(TARGET), "attach", Attach),
        (AttachWay(TARGET, 4711), "attach", Attach),
    ],
)
async def test_a_way_makes_its_observer(way: Way, name: str, kind: type) -> None:
    assert way.name == name
    assert "secret" not in repr(way)
    assert type(way.observe()) is kind
