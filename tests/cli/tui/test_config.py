from pathlib import Path

import pytest

from nsroom.errors import UsageError
from nsroom.tui.config import Settings, load
from nsroom.tui.input.actions import ACTIONS
from nsroom.tui.input.key_bindings import key_bindings
from tests.cli.tui.records import view


def settings(folder: Path, text: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(text)
    return load(file)


def test_the_defaults_without_a_file(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings("dark", {})


def test_a_theme_and_keys(tmp_path: Path) -> None:
    read = settings(tmp_path, 'theme = "light"\n[keys]\npause = "f6"\nquit = ["c-q", "f10"]\n')
    assert read == Settings("light", {"pause": ("f6",), "quit": ("c-q", "f10")})
    key_bindings(view(), dict.fromkeys(ACTIONS, lambda _event: None), read.keys)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = ", "config.toml: Invalid value"),
        ('colour = "red"', "unknown setting 'colour'; use theme and [keys]"),
        ('theme = "pink"', "unknown theme 'pink'; choose one of dark, light, none"),
        ("keys = 5", "keys must be a table"),
        ("[keys]\npause = 5", "keys.pause must be a key or a list of keys"),
        ("[keys]\npause = []", "keys.pause must be a key or a list of keys"),
    ],
)
def test_invalid_settings(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings(tmp_path, text)
    assert message in str(raised.value)


def test_an_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)
