"""The namespaces of the last session, in the user's state folder."""

from pathlib import Path

import pytest

from nsroom.cli.completer import answer
from nsroom.cli.last_session import namespaces, save


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state folder of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_last_session_replaces_the_one_before() -> None:
    assert namespaces() == []
    save(["/", "/orders"])
    save(["/été"])
    assert namespaces() == ["/été"]


def test_hostile_names_are_left_out(state: Path) -> None:
    save(["/a\n/b", "/\x1b[2J", "/c d", "/" + "e" * 300, "/f\t", "/ok", *(f"/{at}" for at in range(1000))])
    assert (namespaces()[0], len(namespaces())) == ("/ok", 100)
    for data in (b"\xff\n", b"no\n/\x1b\n\n"):
        (state / "nsroom/namespaces").write_bytes(data)
        assert namespaces() == []


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    save(["/a"])
    assert namespaces() == []


def test_the_completion_offers_them() -> None:
    save(["/orders"])
    assert "/orders\t\n" in answer(["connect", "/o"], ["connect"])
    assert answer(["connect", "-n", "/o"], ["connect"]) == "/orders\t\n"
