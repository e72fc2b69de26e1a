"""The actions that play a recording."""

from functools import partial

from nsroom.tui.input.key_context import KeyContext
from nsroom.tui.model.playback import Playback
from nsroom.tui.screen.state import View


def _playback(view: View) -> Playback | None:
    """Return what plays the recording, or None with a notice while it is still read."""
    if view.playback is None:
        view.notice.show("still reading the recording", failed=True)
    return view.playback


def play(context: KeyContext) -> None:
    """Play the recording, or pause."""
    if playback := _playback(context.view):
        playback.toggle(context.view.now)


def step(context: KeyContext, forward: bool) -> None:
    """Show the next row of the recording, or hide the last one."""
    view = context.view
    if playback := _playback(view):
        playback.step(forward)
        if view.detail is not None and view.model.rows:
            view.model.select(view.model.rows[-1])
            view.show_detail()


def change_speed(context: KeyContext, factor: float) -> None:
    """Multiply the speed at which the recording is played."""
    if playback := _playback(context.view):
        playback.set_speed(playback.speed * factor)
        context.view.notice.show(f"speed {playback.speed:g}")


def ask_time(context: KeyContext) -> None:
    """Ask for a time in the recording, and go there."""
    context.host.ask("go to (12:03:04, +1:30, 50%, end)", "", partial(_seek, context))


def _seek(context: KeyContext, text: str) -> None:
    if text.strip():
        context.host.run_line(f"/goto {text}")
