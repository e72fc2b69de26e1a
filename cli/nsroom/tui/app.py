"""The application of the live view: its state, screen, keys and commands put together."""

import asyncio
import base64
import gc
from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.output import Output
from prompt_toolkit.search import stop_search

from nsroom.client.presets import Convention
from nsroom.errors import NsroomError
from nsroom.tui import config
from nsroom.tui.fullscreen import FullScreen
from nsroom.tui.input.actions import accept_completion, handlers
from nsroom.tui.input.completer import LiveCompleter, QuestionCompleter
from nsroom.tui.input.history import InputHistory
from nsroom.tui.input.key_bindings import key_bindings
from nsroom.tui.input.key_context import KeyContext
from nsroom.tui.input.match_counter import MatchCounter, typed_filter
from nsroom.tui.input.modal_keys import count_bindings, modal_bindings, typing_bindings
from nsroom.tui.input.slash_commands import CommandContext, command_help, run_line
from nsroom.tui.recorder import Recorder
from nsroom.tui.screen.layout import Screen
from nsroom.tui.screen.state import Focus, Leaving, Question, View

_MAX_COPIED = 100_000
"""Characters; terminals refuse more."""


def tune_garbage_collector() -> None:
    """Run garbage collections less often: each one visits all records and delays keys by 0.1 s."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)


class App(FullScreen):
    """The live view of a connection, a proxy or a recording."""

    def __init__(
        self,
        view: View,
        settings: config.Settings,
        convention: Convention | None = None,
        *,
        raw: bool = False,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.view = view
        self.retry_requested = asyncio.Event()
        self.recorder = Recorder(view, self.redraw, raw)
        self._command_context = CommandContext(view, convention or Convention(), self)
        self._input = Buffer(
            completer=LiveCompleter(view),
            complete_while_typing=True,
            history=InputHistory(config.history_file()),
            multiline=True,
            accept_handler=self._accept_input,
            tempfile_suffix=".json",
            on_text_changed=lambda _: view.notice.clear(),
        )
        self._ask = Buffer(
            completer=QuestionCompleter(view),
            complete_while_typing=True,
            multiline=False,
            accept_handler=self._accept_answer,
            on_text_changed=self._handle_answer_typed,
        )
        self._matches = MatchCounter(view, self.spawn)
        self.screen = Screen(view, self._input, self._ask, settings.keys, command_help(view))
        context = KeyContext(view, self.screen, self)
        keys = [
            count_bindings(context),
            key_bindings(view, handlers(context), settings.keys),
            typing_bindings(context),
            modal_bindings(context, self),
        ]
        super().__init__(self.screen.layout, merge_key_bindings(keys), settings.theme, input, output)
        self.application.key_processor.before_key_press += lambda _: self.screen.sync()

    @property
    def has_typed(self) -> bool:
        """Whether the input has text that is not sent yet."""
        return bool(self._input.text)

    def title(self) -> str:
        """Return the title of the window: the server and the room, or the recording."""
        view = self.view
        room = f" #{view.room}" if view.room else ""
        place = f" {view.namespace}{room}" if view.can_send else ""
        return f"nsroom {view.recording_name or view.server}{place}"

    def notify(self, text: str) -> None:
        """Write a sequence that makes the terminal notify the user."""
        self.application.output.write_raw(text)
        self.application.output.flush()

    def prepare(self, now: float) -> None:
        """Update the state for a frame at this time."""
        self.screen.sync()
        view = self.view
        view.tick(now)
        self._matches.update(typed_filter(view, self._ask.text, self._input.text))
        view.typed_count = self.application.key_processor.arg or ""
        if view.client is not None:
            view.transport = view.client.transport
        if view.playback is not None and (due := view.playback.next_due()) is not None:
            self.redraw_in(due)

    async def close(self) -> None:
        """Close the files being saved. Raises: OutputError."""
        await self.recorder.close()

    def interrupt(self) -> None:
        """Cancel what is open, else clear the input, else ask whether to leave, else leave."""
        view = self.view
        if not (self._cancel_open() or self._clear_input()):
            if view.leaving or view.recording_name or (view.failure and not view.unsaved):
                super().interrupt()
            else:
                view.leaving = Leaving.INTERRUPT

    def _cancel_open(self) -> bool:
        """Cancel the help, a copy or a question, whichever is open; return whether one was."""
        view = self.view
        if view.help.is_open or view.copying:
            view.help.close()
            view.copying = False
        elif view.focus is Focus.HISTORY:
            stop_search()
        elif view.question is not None:
            self.cancel_question()
        else:
            return False
        return True

    def _clear_input(self) -> bool:
        """Clear the input; return whether it had text."""
        if not self._input.text:
            return False
        self._input.reset()
        return True

    def read(self) -> None:
        """Move the focus to the stream."""
        self.screen.focus(Focus.STREAM)

    def save_and_leave(self, path: str) -> None:
        """Save the records, and close the view if that succeeds."""
        self.spawn(self._save_and_leave(path))

    async def _save_and_leave(self, path: str) -> None:
        try:
            await self.save(path)
        except NsroomError as error:
            self.view.notice.show(str(error), failed=True)
        else:
            self.leave()

    def toggle_mouse(self) -> None:
        """Leave the mouse to the terminal, which selects text with it, or take it back."""
        self.has_mouse = not self.has_mouse
        is_back = "clicks and the wheel work here again"
        self.view.notice.show(is_back if self.has_mouse else "the mouse selects text; M takes it back")

    def retry(self) -> None:
        """Request another attempt to connect."""
        self.retry_requested.set()

    def ask(
        self,
        label: str,
        text: str,
        done: Callable[[str], None],
        is_command: Callable[[str], bool] | None = None,
    ) -> None:
        """Ask for a line instead of the input; `text` is the suggested answer."""
        self.view.question = Question(label, done, self.view.focus, is_command)
        self._ask.text = text
        self._ask.cursor_position = len(text)
        self.screen.focus(Focus.ASK)

    def answer(self) -> None:
        """Accept the selected completion, or the line that was asked for."""
        if not accept_completion(self._ask):
            self._ask.validate_and_handle()

    def cancel_answer(self) -> None:
        """Close the menu of completions or, without one, the question."""
        if self._ask.complete_state is not None:
            self._ask.cancel_completion()
        else:
            self.cancel_question()

    def cancel_question(self) -> None:
        """Close the question without an answer."""
        question, self.view.question = self.view.question, None
        self.view.palette = None
        if question is not None:
            self.screen.focus(question.asked_in)

    def _handle_answer_typed(self, buffer: Buffer) -> None:
        if self.view.palette is not None:
            self.view.palette.search(buffer.text)

    def _accept_answer(self, buffer: Buffer) -> bool:
        question, text = self.view.question, buffer.text
        self.cancel_question()
        if question is not None:
            question.done(text)
        return False

    def _accept_input(self, buffer: Buffer) -> bool:
        self.run_line(buffer.text, typed=True)
        return False

    def run_line(self, text: str, typed: bool = False) -> None:
        """Run a line; on an error, show the reason and put the text back into the input."""
        self.spawn(self._run_line(text, typed))

    async def _run_line(self, text: str, typed: bool) -> None:
        try:
            await run_line(self._command_context, text)
        except NsroomError as error:
            if not self._input.text:
                self._input.text = text
                self._input.cursor_position = len(text)
                if not typed:
                    self.screen.focus(Focus.INPUT)
            self.view.notice.show(str(error), failed=True)

    def copy(self, text: str) -> None:
        """Copy text to the terminal's clipboard, with OSC 52, which works over ssh too."""
        notice = self.view.notice
        if len(text) > _MAX_COPIED:
            notice.show(f"{len(text):,} characters are too many to copy; w saves to a file", failed=True)
            return
        data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
        self.application.output.write_raw(f"\x1b]52;c;{data}\x07")
        self.application.output.flush()
        notice.show(f"copied {len(text):,} characters, if the terminal allows programs to copy (OSC 52)")

    async def save(self, path: str, force: bool = False) -> None:
        """Save past and future records to a file.

        Raises: UsageError, OutputError.
        """
        await self.recorder.add(path, force)
