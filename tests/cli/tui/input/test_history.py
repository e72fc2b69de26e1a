from pathlib import Path

import pytest

from nsroom.tui.input.history import InputHistory


def test_the_next_run_loads_the_history(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    first = InputHistory(file)
    for text in ("one", "two\nlines", "drei €"):
        first.store_string(text)
    assert list(InputHistory(file).load_history_strings()) == ["drei €", "two\nlines", "one"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_broken_history_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_bytes(b'"good"\n{"no"\n5\n\xff')
    assert list(InputHistory(file).load_history_strings()) == []
    file.write_text('"good"\n{"no"\n5\n')
    assert list(InputHistory(file).load_history_strings()) == ["good"]
    unwritable = InputHistory(tmp_path / "no" / "folder")
    unwritable.store_string("x")
    assert list(unwritable.load_history_strings()) == []


def test_the_history_is_limited(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_text("".join(f'"{n}"\n' for n in range(3000)))
    assert next(iter(InputHistory(file).load_history_strings())) == "2999"
    assert len(file.read_text().splitlines()) == 1000


@pytest.mark.parametrize(
    "text",
    [
        " /emit login ann",
        '/emit login {"password": "x"}',
        "/emit login userPassword=x",
        '["login", {"api_key":"x"}]',
        "/call auth accessToken:=7",
        "/emit login {'pwd' : 'x'}",
    ],
)
def test_a_line_with_a_secret_is_not_kept(tmp_path: Path, text: str) -> None:
    history = InputHistory(tmp_path / "typed")
    history.append_string("before")
    history.append_string(text)
    assert history.get_strings() == ["before"]
    assert list(InputHistory(tmp_path / "typed").load_history_strings()) == ["before"]


@pytest.mark.parametrize("text", ["my password is out", "/emit token", "a session at noon", "/join auth"])
def test_a_line_that_only_speaks_of_one_is_kept(tmp_path: Path, text: str) -> None:
    InputHistory(tmp_path / "typed").append_string(text)
    assert list(InputHistory(tmp_path / "typed").load_history_strings()) == [text]
