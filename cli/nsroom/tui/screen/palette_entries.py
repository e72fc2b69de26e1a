"""The entries of the palette: the functions of the keymap, and the commands."""

from collections.abc import Mapping, Sequence

from nsroom.tui.screen.keymap import KEYS, NOT_IN_GROUPS, Key, is_offered, key_name, merged
from nsroom.tui.screen.palette import Entry
from nsroom.tui.screen.state import Mode, View


def entries(
    view: View, remapped: Mapping[str, tuple[str, ...]], commands: Sequence[tuple[str, str]]
) -> list[Entry]:
    """Return the functions of the focused pane, the commands, and the functions of the other panes."""
    listed = [key for key in KEYS if _is_listed(key.name, view)]
    here = [key for key in listed if view.focus in key.where]
    others = [key for key in listed if view.focus not in key.where]
    found: dict[str, Entry] = {key.help: _function(key, "") for key in merged(here, remapped)}
    for usage, text in commands:
        found[usage] = Entry(usage, text, command=usage.partition(" ")[0] + " " * (" " in usage))
    for key in merged(others, remapped):
        found.setdefault(key.help, _function(key, key.where[0]))
    return list(found.values())


def _is_listed(name: str, view: View) -> bool:
    if name.endswith("palette") or (view.mode is Mode.GROUPS and name in NOT_IN_GROUPS):
        return False
    return is_offered(name, view)


def _function(key: Key, pane: str) -> Entry:
    return Entry(" ".join(map(key_name, key.keys)), key.help, key.name, pane)
