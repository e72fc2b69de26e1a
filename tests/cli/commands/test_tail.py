"""`nsroom tail`: the events of every socket, with the reference server's admin namespace."""

import pytest

from nsroom.cli.display_options import ShowOptions
from nsroom.commands.tail import _keep
from nsroom.record import Direction, Kind, Record
from tests.conftest import StartServer
from tests.peers.program import Spawner


def record(direction: str, kind: str, namespace: str | None) -> Record:
    return Record(0, 1, Direction(direction), Kind(kind), namespace, sid="s")


EVENT = record("out", "event", "/chat")
OTHER = record("in", "event", "/lab")
ADMIN = record("in", "event", "/admin")
JOINED = record("local", "event", "/chat")
CONNECTED = record("in", "connect", "/chat")
ALL = [EVENT, OTHER, ADMIN, JOINED, CONNECTED]


@pytest.mark.parametrize(
    ("options", "namespaces", "kept"),
    [
        (ShowOptions(), (), [EVENT, OTHER]),
        (ShowOptions(), ("/chat",), [EVENT]),
        (ShowOptions(all=True), (), ALL),
        (ShowOptions(all=True), ("/chat",), [EVENT, JOINED, CONNECTED]),
        (ShowOptions(where="dir=out"), (), [EVENT]),
        (ShowOptions(where="dir=local"), (), [JOINED]),
        (ShowOptions(where="kind=connect"), (), [CONNECTED]),
        (ShowOptions(where="ns=/lab"), (), [OTHER]),
    ],
)
def test_which_records_are_shown(
    options: ShowOptions, namespaces: tuple[str, ...], kept: list[Record]
) -> None:
    keep = _keep(options, namespaces, "/admin")
    assert [each for each in ALL if keep(each)] == kept


async def test_an_event_of_a_client_is_shown_with_its_sid(spawn: Spawner, serve: StartServer) -> None:
    server = await serve("--admin", "ann:s3cret")
    admin = ("-u", server.url, "--admin-auth", "ann:s3cret")
    watcher = await spawn("tail", *admin, "-n", "/lab", "--where", "dir=out", "-C", "1", "--json")
    await watcher.err("connected to")
    client = await spawn("connect", "/lab", "-u", server.url, "--stdin", "--json")
    await client.seen(event="hi")
    client.send(["echo", 7])
    seen = await watcher.record()
    assert (seen["direction"], seen["event"], seen["args"], len(seen["sid"])) == ("out", "echo", [7], 20)
    assert await watcher.end() == 0
