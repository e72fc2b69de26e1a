import pytest

from nsroom.cli.configuration import Configuration
from nsroom.errors import UsageError
from nsroom.output.terminal import Theme
from nsroom.tui.config import Settings, settings
from nsroom.tui.input.actions import ACTIONS
from nsroom.tui.input.key_bindings import key_bindings
from tests.cli.tui.records import view


def test_the_defaults() -> None:
    assert settings(Configuration()) == Settings(Theme.AUTO, {})


def test_a_theme_and_keys() -> None:
    read = settings(Configuration(theme="light", keys={"pause": "f6", "quit": ["c-q", "f10"]}))
    assert read == Settings(Theme.LIGHT, {"pause": ("f6",), "quit": ("c-q", "f10")})
    key_bindings(view(), dict.fromkeys(ACTIONS, lambda _event: None), read.keys)


def test_an_option_beats_the_theme_of_the_configuration() -> None:
    assert settings(Configuration(theme="light"), Theme.NONE).theme is Theme.NONE


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (Configuration(theme="pink"), "unknown theme 'pink'; choose one of auto, dark, light, none"),
        (Configuration(keys={"pause": 5}), "keys.pause must be a key or a list of keys"),
        (Configuration(keys={"pause": []}), "keys.pause must be a key or a list of keys"),
    ],
)
def test_invalid_settings(configuration: Configuration, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings(configuration)
    assert message in str(raised.value)
