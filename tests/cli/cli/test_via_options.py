"""Which ways into a server a command tries."""

import pytest

from nsroom.cli.via_options import VARIABLE, Via, ViaOptions
from nsroom.client.target import Target
from nsroom.errors import UsageError

TARGET = Target(url="http://localhost:3000")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("NSROOM_ADMIN", raising=False)


@pytest.mark.parametrize(
    ("given", "kind", "names"),
    [(None, Via.AUTO, ["/admin"]), ("admin", Via.ADMIN, ["/admin"]), ("events", Via.EVENTS, [])],
)
def test_the_ways(given: str | None, kind: Via, names: list[str]) -> None:
    options = ViaOptions(via=given)
    assert options.kind() is kind
    assert [way.name for way in options.ways(TARGET)] == names


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
