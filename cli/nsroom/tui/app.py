"""The live view as an application: a screen on one side, a person on the other."""

import base64
import gc
from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.output import Output

from nsroom.client.joins import Convention
from nsroom.errors import NsroomError
from nsroom.tui import config
from nsroom.tui.fullscreen import Stage
from nsroom.tui.input.actions import Actions
from nsroom.tui.input.completer import LiveCompleter
from nsroom.tui.input.history import TypedHistory
from nsroom.tui.input.key_bindings import bindings
from nsroom.tui.input.modal_keys import modal
from nsroom.tui.input.slash_commands import Typed, command_help
from nsroom.tui.recorder import Recordings
from nsroom.tui.screen.layout import Screen
from nsroom.tui.screen.state import Focus, Question, View

_COPIED = 100_000
"""Characters at most: terminals refuse more."""


def calm_collector() -> None:
    """Keep Python's collector from walking through all records again and again, 0.1 s for which keys wait."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)


class App(Stage):
    """The view of one connection, or of a recording."""

    def __init__(
        self,
        view: View,
        settings: config.Settings,
        how: Convention | None = None,
        *,
        raw: bool = False,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.view = view
        self.retry: Callable[[], None] = lambda: None
        self.recordings = Recordings(view, self.changed, raw)
        self._typed = Typed(view, how or Convention(), self)
        self._input = Buffer(
            completer=LiveCompleter(view),
            complete_while_typing=True,
            history=TypedHistory(config.history_file()),
            multiline=True,
            accept_handler=self._accept,
            tempfile_suffix=".json",
            on_text_changed=lambda _: view.say(""),
        )
        self._ask = Buffer(multiline=False, accept_handler=self._answered)
        self.screen = Screen(view, self._input, self._ask, settings.keys, command_help(view))
        actions = Actions(view, self.screen, self)
        keys = [bindings(view, actions.table(), settings.keys), modal(view, actions, self)]
        super().__init__(self.screen.layout, merge_key_bindings(keys), settings.theme, input, output)
        self.application.key_processor.before_key_press += lambda _: self.screen.sync()

    def prepare(self, now: float) -> None:
        """Get ready for a frame at this time."""
        self.screen.sync()
        view = self.view
        view.tick(now)
        if view.client is not None:
            view.transport = view.client.transport

    async def close(self) -> None:
        """Close the recordings. Raises: OutputError."""
        await self.recordings.close()

    def ask(self, label: str, text: str, done: Callable[[str], None]) -> None:
        """Ask for a line in the place of the input."""
        self.view.question = Question(label, done)
        self._ask.text = text
        self._ask.cursor_position = len(text)
        self.screen.focus(Focus.ASK)

    def answer(self) -> None:
        """Take the line that was asked for."""
        self._ask.validate_and_handle()

    def leave_question(self) -> None:
        """Ask no more."""
        self.view.question = None
        self.screen.focus(Focus.STREAM)

    def _answered(self, buffer: Buffer) -> bool:
        question, text = self.view.question, buffer.text
        self.leave_question()
        if question is not None:
            question.done(text)
        return False

    def _accept(self, buffer: Buffer) -> bool:
        self.do(buffer.text.strip(), typed=True)
        return False

    def do(self, text: str, typed: bool = False) -> None:
        """Do what a line says; when it cannot be done, say why and give the text back to be mended."""
        self.spawn(self._do(text, typed))

    async def _do(self, text: str, typed: bool) -> None:
        try:
            await self._typed.do(text)
        except NsroomError as error:
            if not self._input.text:
                self._input.text = text
                self._input.cursor_position = len(text)
                if not typed:
                    self.screen.focus(Focus.INPUT)
            self.view.say(str(error), failed=True)

    def copy(self, text: str) -> None:
        """Give text to the terminal's clipboard (OSC 52, which works over ssh too)."""
        if len(text) > _COPIED:
            self.view.say(
                f"{len(text):,} characters are more than a terminal takes: w records it", failed=True
            )
            return
        data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
        self.application.output.write_raw(f"\x1b]52;c;{data}\x07")
        self.application.output.flush()
        self.view.say(f"copied {len(text):,} characters, if this terminal lets programs copy (OSC 52)")

    async def save(self, path: str, force: bool = False) -> None:
        """Record what is here and what comes.

        Raises: UsageError, OutputError.
        """
        await self.recordings.add(path, force)
