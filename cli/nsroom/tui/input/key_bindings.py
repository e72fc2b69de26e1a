"""Bind the keys of the keymap to actions."""

from collections.abc import Callable, Mapping

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from nsroom.errors import UsageError
from nsroom.tui.screen.keymap import KEYS, Key
from nsroom.tui.screen.state import View


def bindings(
    view: View,
    actions: Mapping[str, Callable[[KeyPressEvent], None]],
    remapped: Mapping[str, tuple[str, ...]],
) -> KeyBindings:
    """Bind every function of the table to its keys, or to those that the settings name.

    Raises: UsageError for a function or a key that there is not.
    """
    unknown = remapped.keys() - {key.name for key in KEYS}
    if unknown:
        names = ", ".join(key.name for key in KEYS)
        raise UsageError(f"keys.{sorted(unknown)[0]}: there is no such function, only {names}")
    bound = KeyBindings()
    for key in KEYS:
        for keys in remapped.get(key.name, key.keys):
            _bind(bound, view, key, keys, actions[key.name])
    return bound


def _bind(
    bound: KeyBindings, view: View, key: Key, keys: str, action: Callable[[KeyPressEvent], None]
) -> None:
    here = Condition(lambda: view.focus in key.where and not view.help and not view.copying)
    try:
        bound.add(*keys.split(), filter=here, eager=keys == "enter")(action)
    except (ValueError, AssertionError):
        raise UsageError(f"keys.{key.name}: {keys!r} is no key: name it as f6, c-t, escape t or t") from None
