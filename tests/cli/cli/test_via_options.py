"""Which ways into a server a command tries."""

import pytest

from nsroom.cli.via_options import VARIABLE, Via, ViaOptions
from nsroom.client.target import Target
from nsroom.errors import UsageError
from nsroom.introspection.ways import AttachWay
from nsroom.output import stdio

TARGET = Target(url="http://localhost:3000")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("NSROOM_ADMIN", raising=False)


@pytest.mark.parametrize(
    ("given", "kind", "names"),
    [
        (None, Via.AUTO, ["/admin"]),
        ("admin", Via.ADMIN, ["/admin"]),
        ("events", Via.EVENTS, []),
        ("attach", Via.ATTACH, ["attach"]),
        ("attach:4711", Via.ATTACH, ["attach"]),
        ("redis://:secret@h:1/2", Via.REDIS, ["redis://h:1/2"]),
    ],
)
def test_the_ways(given: str | None, kind: Via, names: list[str]) -> None:
    options = ViaOptions(via=given)
    assert options.kind() is kind
    assert [way.name for way in options.ways(TARGET)] == names


def test_the_process_to_attach_to() -> None:
    assert ViaOptions(via="attach").ways(TARGET) == [AttachWay(TARGET, None)]
    assert ViaOptions(via="attach:4711").ways(TARGET) == [AttachWay(TARGET, 4711)]
    assert ViaOptions(via="attach").place(TARGET) == "localhost:3000"
    assert ViaOptions(via="attach:4711").place(TARGET) == "pid 4711"


@pytest.mark.parametrize(
    ("is_terminal", "url", "names"),
    [
        (True, "http://127.0.0.1:3000", ["/admin", "attach"]),
        (False, "http://127.0.0.1:3000", ["/admin"]),
        (True, "http://192.0.2.1:3000", ["/admin"]),
    ],
)
def test_auto_attaches_where_a_person_sees_it(
    is_terminal: bool, url: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "is_terminal", lambda: is_terminal)
    assert [way.name for way in ViaOptions().ways(Target(url=url))] == names
    assert [way.name for way in ViaOptions(via="admin").ways(Target(url=url))] == ["/admin"]


@pytest.mark.parametrize(
    "given", ["attach:", "attach:0", "attach:x", "attach[:PID]", "attach:-1", "attach:1 "]
)
def test_no_process_id(given: str) -> None:
    with pytest.raises(UsageError, match="no such way"):
        ViaOptions(via=given).kind()


def test_the_environment_is_for_commands_that_look_or_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "admin")
    assert ViaOptions().kind() is Via.ADMIN
    assert ViaOptions().kind(write=False) is Via.AUTO
    assert ViaOptions(via="events").kind() is Via.EVENTS


@pytest.mark.parametrize("option", ["--via", f"${VARIABLE}"])
def test_an_unknown_way(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if option != "--via":
        monkeypatch.setenv(VARIABLE, "door")
    with pytest.raises(UsageError, match="no such way: it is one of auto, events, admin"):
        ViaOptions(via="door" if option == "--via" else None).kind()


def test_the_admin_namespace_and_its_credentials() -> None:
    (way,) = ViaOptions(admin_auth="ann:secret", admin_namespace="watch").ways(TARGET)
    assert way.name == "/watch"
    assert way.target.auth  # type: ignore[attr-defined] == {"username": "ann", "password": "secret"}


def test_the_password_of_a_redis_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "redis://:secret@h")
    (way,) = ViaOptions().ways(TARGET)
    assert way.name == "redis://h"
    assert "secret" not in repr(way)
    assert ViaOptions().place(TARGET) == "a cluster"
    assert ViaOptions().kind(write=False) is Via.AUTO
    monkeypatch.setenv(VARIABLE, "redis://:secret@h:x")
    with pytest.raises(UsageError, match="not the URL of a Redis") as refused:
        ViaOptions().ways(TARGET)
    assert "secret" not in str(refused.value)
