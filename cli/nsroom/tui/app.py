"""The live view as an application: a screen on one side, a person on the other."""

import asyncio
import base64
import contextlib
import errno
import gc
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.output import Output

from nsroom.errors import NsroomError, Stopped
from nsroom.joins import Convention
from nsroom.tui import config
from nsroom.tui.actions import Actions
from nsroom.tui.commands import Typed
from nsroom.tui.completer import LiveCompleter
from nsroom.tui.history import TypedHistory
from nsroom.tui.key_bindings import bindings
from nsroom.tui.layout import Screen
from nsroom.tui.modal import modal
from nsroom.tui.recordings import Recordings
from nsroom.tui.style import color_depth, style
from nsroom.tui.view import Focus, Question, View

_FRAME = 1 / 30
_SHARE = 3
"""A frame may take a third of the time, however large the screen and slow the terminal."""
_COPIED = 100_000
"""Characters at most: terminals refuse more."""


def calm_collector() -> None:
    """Keep Python's collector from walking through all records again and again, 0.1 s for which keys wait."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)


class App:
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
        self._tasks: set[asyncio.Task[Any]] = set()
        self._outcome: asyncio.Future[None] | None = None
        self._ended: BaseException | None = None
        self._has_ended = False
        self._next_frame = self._frame_began = 0.0
        self._painting: asyncio.TimerHandle | None = None
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
        self.screen = Screen(view, self._input, self._ask, settings.keys)
        actions = Actions(view, self.screen, self)
        keys = [bindings(view, actions.table(), settings.keys), modal(view, actions, self), self._always()]
        depth = color_depth()
        self.application: Application[None] = Application(
            layout=self.screen.layout,
            key_bindings=merge_key_bindings(keys),
            style=style(settings.theme, depth),
            color_depth=depth,
            full_screen=True,
            mouse_support=True,
            min_redraw_interval=_FRAME,
            refresh_interval=1.0,
            before_render=self._before,
            after_render=self._after,
            input=input,
            output=output,
        )
        self.application.ttimeoutlen, self.application.timeoutlen = 0.05, 0.25
        self.application.key_processor.before_key_press += lambda _: self.screen.sync()

    async def run(self) -> None:
        """Show the screen until the person leaves, or `finish` is called.

        Raises: what it was finished with; Stopped when the terminal has gone.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._failed)
        try:
            await self.application.run_async(self._begun, set_exception_handler=False, handle_sigint=False)
        except EOFError:
            raise Stopped(signal.SIGHUP) from None
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EBADF, errno.EPIPE):
                raise
            raise Stopped(signal.SIGHUP) from None
        finally:
            with contextlib.suppress(OSError):  # the terminal has gone
                self.application.renderer.reset()
            loop.set_exception_handler(None)
            await self._cancel()
            await self.recordings.close()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begun(self) -> None:
        if self._has_ended:
            self._exit()

    def finish(self, error: BaseException | None = None) -> None:
        """End the view; the first reason counts."""
        if not self._has_ended:
            self._has_ended, self._ended = True, error
            if self.application.future is not None:
                self._exit()

    def _exit(self) -> None:
        if self._ended is None:
            self.application.exit()
        else:
            self.application.exit(exception=self._ended)

    def leave(self) -> None:
        """End the view as a person asks."""
        self.finish()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the screen; a bug in it ends the view."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.finish(error)
        self.changed()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.finish(error if error is not None else RuntimeError(str(context.get("message"))))

    def changed(self) -> None:
        """Have the screen painted anew, when its turn comes."""
        if self._painting is None and not self._has_ended:
            loop = asyncio.get_running_loop()
            self._painting = loop.call_at(max(self._next_frame, loop.time()), self._paint)

    def _paint(self) -> None:
        self._painting = None
        self.application.invalidate()

    def _before(self, _application: Application[None]) -> None:
        self.screen.sync()
        view = self.view
        view.tick(time.time())
        if view.client is not None:
            view.transport = view.client.transport
        self._frame_began = time.monotonic()

    def _after(self, _application: Application[None]) -> None:
        now = time.monotonic()
        self._next_frame = now + max((now - self._frame_began) * (_SHARE - 1), _FRAME)

    def _always(self) -> KeyBindings:
        """Bind what no setting changes."""
        bound = KeyBindings()

        @bound.add("c-c", eager=True)
        def _(_event: KeyPressEvent) -> None:
            self.finish(Stopped(signal.SIGINT))

        @bound.add("c-z")
        def _(_event: KeyPressEvent) -> None:
            self.application.suspend_to_background()

        return bound

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
