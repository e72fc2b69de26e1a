"""Bind the keys of the keymap to actions."""

from collections.abc import Callable, Mapping

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from nsroom.errors import UsageError
from nsroom.tui.screen.keymap import FOR_WAITING, KEYS, Key, is_bound
from nsroom.tui.screen.state import Leaving, View

_LEAVES = ("leave", "quit")


def key_bindings(
    view: View,
    handlers: Mapping[str, Callable[[KeyPressEvent], None]],
    remapped: Mapping[str, tuple[str, ...]],
) -> KeyBindings:
    """Bind each function of the keymap to its keys or to those from the settings.

    Raises: UsageError for an unknown function or key.
    """
    unknown = remapped.keys() - {key.name for key in KEYS}
    if unknown:
        names = ", ".join(key.name for key in KEYS)
        raise UsageError(f"keys.{sorted(unknown)[0]}: unknown function; choose one of {names}")
    bindings = KeyBindings()
    # Of several bindings of a key that are active, the last one counts.
    for key in sorted(KEYS, key=lambda key: key.name in FOR_WAITING):
        for keys in remapped.get(key.name, key.keys):
            _bind(bindings, view, key, keys, handlers[key.name])
    return bindings


def _is_active(view: View, key: Key) -> bool:
    if key.name == "quit":
        return True
    if view.leaving is Leaving.QUIT and key.name == "leave":
        return True
    return view.focus in key.where and is_bound(key.name, view) and not view.is_modal


def _bind(
    bindings: KeyBindings, view: View, key: Key, keys: str, handler: Callable[[KeyPressEvent], None]
) -> None:
    here = Condition(lambda: _is_active(view, key))
    # In a question or the help, only an eager binding comes before those for any key.
    eager = keys == "enter" or key.name in _LEAVES
    try:
        bindings.add(*keys.split(), filter=here, eager=eager)(handler)
    except (ValueError, AssertionError):
        raise UsageError(
            f"keys.{key.name}: unknown key {keys!r}; write keys as f6, c-t, escape t or t"
        ) from None
