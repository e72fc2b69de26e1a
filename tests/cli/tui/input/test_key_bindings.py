import pytest

from nsroom.errors import UsageError
from nsroom.tui.input.actions import ACTIONS
from nsroom.tui.input.key_bindings import key_bindings
from nsroom.tui.screen.keymap import KEYS
from tests.cli.tui.records import view

HANDLERS = dict.fromkeys(ACTIONS, lambda _event: None)


def test_every_function_of_the_keymap_has_an_action() -> None:
    assert set(ACTIONS) == {key.name for key in KEYS}
    assert len(ACTIONS) == len(KEYS)


def test_keys_of_the_settings_replace_the_usual_ones() -> None:
    bindings = key_bindings(view(), HANDLERS, {"pause": ("f6", "escape t")})
    keys = [binding.keys for binding in bindings.bindings]
    assert ("f6",) in keys
    assert ("escape", "t") in keys
    assert ("p",) not in keys


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"fly": ("f6",)}, "keys.fly: unknown function; choose one of edit_waiting, forward"),
        ({"pause": ("f99",)}, "unknown key 'f99'; write keys as f6"),
    ],
)
def test_unknown_functions_and_keys(keys: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        key_bindings(view(), HANDLERS, keys)
    assert message in str(raised.value)
