"""The folders are those that platformdirs names."""

import pytest
from platformdirs import user_config_path, user_state_path

from nsroom.folders import config_folder, state_folder


@pytest.mark.parametrize("value", [None, "", "/x/y"])
def test_they_are_those_of_platformdirs(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, value or "")
        if value is None:
            monkeypatch.delenv(name)
    assert config_folder() == user_config_path("nsroom")
    assert state_folder() == user_state_path("nsroom")


def test_a_relative_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert state_folder().is_absolute()
