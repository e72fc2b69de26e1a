"""The live view as an application: a connection on one side, a person on the other."""

import asyncio
import base64
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.output import ColorDepth

from nsroom.errors import ExitCode, NsroomError, Stopped
from nsroom.joins import Convention
from nsroom.record import Record
from nsroom.sinks import FileSink, Route
from nsroom.tui import config
from nsroom.tui.actions import Actions
from nsroom.tui.commands import Typed
from nsroom.tui.completer import LiveCompleter
from nsroom.tui.key_bindings import bar, bindings, help_lines
from nsroom.tui.layout import Screen
from nsroom.tui.model import Model
from nsroom.tui.style import style
from nsroom.tui.view import Focus, View

_FRAME = 1 / 30
_COPIED = 100_000
"""Characters at most: terminals refuse more."""


class _Screened:
    """The model as a sink, which has the screen painted anew."""

    def __init__(self, model: Model, changed: Callable[[], None]) -> None:
        self._model = model
        self._changed = changed

    async def write(self, records: Sequence[Record]) -> None:
        """Take records."""
        await self._model.write(records)
        self._changed()

    async def close(self) -> None:
        """Keep everything."""


class App:
    """The view of one connection, or of a recording."""

    def __init__(self, view: View, settings: config.Settings, how: Convention | None = None) -> None:
        self.view = view
        self.routes: list[Route] = []
        """Where the records go: to the screen, and to what is recorded."""
        self._recordings: list[FileSink] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.retry: Callable[[], None] = lambda: None
        self._typed = Typed(view, how or Convention(), save=self.save, copy=self._copy, leave=self._leave)
        self._input = Buffer(
            completer=LiveCompleter(view),
            complete_while_typing=True,
            history=FileHistory(str(config.history_file())),
            enable_history_search=True,
            multiline=True,
            accept_handler=self._accept,
            tempfile_suffix=".json",
        )
        self._ask = Buffer(multiline=False, accept_handler=self._answered)
        actions = Actions(
            view,
            self._input,
            self._ask,
            do=self.do,
            copy=self._copy,
            leave=self._leave,
            retry=lambda: self.retry(),
        )
        self._actions = actions
        self.screen = actions.screen = Screen(
            view, self._input, self._ask, lambda width: bar(view, width), lambda: help_lines(view)
        )
        self.application: Application[int] = Application(
            layout=self.screen.layout,
            key_bindings=merge_key_bindings([self._always(), bindings(view, actions.table(), settings.keys)]),
            style=style(settings.theme),
            full_screen=True,
            mouse_support=True,
            min_redraw_interval=_FRAME,
            refresh_interval=1.0,
            color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
        )
        self.application.ttimeoutlen = 0.05

    async def run(self) -> int:
        """Show the screen until the person leaves; give the exit code."""
        asyncio.get_running_loop().set_exception_handler(self._failed)
        try:
            return await self.application.run_async(set_exception_handler=False, handle_sigint=False)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for recording in self._recordings:
                await recording.close()

    def begin(self, counted: list[Route]) -> None:
        """Let the records of a new connection come; the first route is the one that is counted."""
        recordings: list[Route] = [(self._counted, recording) for recording in self._recordings]
        self.routes[:] = [*counted, (None, _Screened(self.view.model, self.changed)), *recordings]

    def changed(self) -> None:
        """Have the screen painted anew, at most thirty times a second."""
        self.application.invalidate()

    def spawn(self, work: Any) -> None:
        """Do something beside the screen; a bug in it ends the view."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._end(error)
        self.changed()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._end(error if error is not None else RuntimeError(str(context.get("message"))))

    def _end(self, error: BaseException) -> None:
        with contextlib.suppress(Exception):  # prompt-toolkit: it has ended already
            self.application.exit(exception=error)

    def _leave(self) -> None:
        self.application.exit(result=ExitCode.OK)

    def _always(self) -> KeyBindings:
        """Bind what no setting changes."""
        bound, view = KeyBindings(), self.view
        asking = Condition(lambda: view.focus is Focus.ASK)
        helping, copying = Condition(lambda: view.help), Condition(lambda: view.copying)

        @bound.add("c-c")
        def _(_event: KeyPressEvent) -> None:
            self.application.exit(exception=Stopped(2))

        @bound.add("<any>", filter=helping)
        def _(_event: KeyPressEvent) -> None:
            view.help = False

        @bound.add("<any>", filter=copying)
        def _(event: KeyPressEvent) -> None:
            self._actions.copy_as({"j": "json", "e": "emit", "s": "js", "p": "python"}.get(event.data, ""))

        @bound.add("escape", filter=asking)
        def _(_event: KeyPressEvent) -> None:
            self._leave_question()

        @bound.add("enter", filter=asking)
        def _(_event: KeyPressEvent) -> None:
            self._ask.validate_and_handle()

        return bound

    def _leave_question(self) -> None:
        self.view.question = None
        self.screen.focus(Focus.STREAM)

    def _answered(self, buffer: Buffer) -> bool:
        question = self.view.question
        text = buffer.text
        self._leave_question()
        if question is not None:
            question.done(text)
        return False

    def _accept(self, buffer: Buffer) -> bool:
        self.view.say("")
        self.do(buffer.text.strip(), typed=True)
        return False

    def do(self, text: str, typed: bool = False) -> None:
        """Do what was typed; when it cannot be done, say why and give the text back."""
        self.spawn(self._do(text, typed))

    async def _do(self, text: str, typed: bool) -> None:
        try:
            await self._typed.do(text)
        except NsroomError as error:
            self.view.say(str(error), failed=True)
            if typed and not self._input.text:
                self._input.text = text
                self._input.cursor_position = len(text)

    def _copy(self, text: str) -> None:
        """Give text to the terminal's clipboard (OSC 52, which works over ssh too)."""
        if len(text) > _COPIED:
            self.view.say(
                f"{len(text):,} characters are more than a terminal takes: save it instead", failed=True
            )
            return
        data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
        self.application.output.write_raw(f"\x1b]52;c;{data}\x07")
        self.application.output.flush()
        self.view.say("copied, if this terminal lets programs copy (OSC 52)")

    async def save(self, path: str, force: bool = False) -> None:
        """Record what is here and what comes.

        Raises: UsageError, OutputError.
        """
        recording = FileSink(_expanded(path), force)
        self._recordings.append(recording)
        await recording.write(self.view.model.records)
        self.view.recording, self.view.recorded = path, len(self.view.model.records)
        self.routes.append((self._counted, recording))

    def _counted(self, _record: Record) -> bool:
        self.view.recorded += 1
        return True


def _expanded(path: str) -> str:
    return str(Path(path).expanduser())
