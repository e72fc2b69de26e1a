"""The full-screen terminal: redraw when something changed, restore on exit."""

import asyncio
import contextlib
import errno
import os
import signal
import time
from collections.abc import Coroutine
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import DynamicStyle

from nsroom.errors import Stopped
from nsroom.output.terminal import Theme
from nsroom.tui.background import BackgroundQuestion, theme_of_environment
from nsroom.tui.mouse import drag_output
from nsroom.tui.screen.style import color_depth, style
from nsroom.tui.window_title import WindowTitle

_HANGUP = 1
"""The number of SIGHUP, which not every system names."""

_MIN_INTERVAL = 1 / 30
"""Seconds between two frames."""
_ANSWER_INTERVAL = 0.01
"""Seconds between two looks, while the view closes, for the terminal's answer."""
_MAX_DELAY = 1.0
"""Seconds after which the screen is redrawn anyway."""
_MAX_SHARE = 3
"""Drawing takes at most a third of the time, however large the screen and slow the terminal."""


class FullScreen:
    """A prompt-toolkit application that uses the whole terminal."""

    def __init__(
        self,
        layout: Layout,
        keys: KeyBindingsBase,
        theme: Theme,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._error: BaseException | None = None
        self._finished = False
        self.has_mouse = True
        """Whether clicks and the wheel are for the view; else the terminal selects text with the mouse."""
        self._next_frame = self._frame_started = 0.0
        self._redraw_timer: asyncio.TimerHandle | None = None
        self._depth = color_depth()
        self._set_theme(theme_of_environment(os.environ) if theme is Theme.AUTO else theme)
        self._later_timer: asyncio.TimerHandle | None = None
        self.application: Application[None] = Application(
            layout=layout,
            key_bindings=merge_key_bindings([keys, self._fixed_bindings()]),
            style=DynamicStyle(lambda: self._style),
            color_depth=self._depth,
            full_screen=True,
            mouse_support=Condition(lambda: self.has_mouse),
            min_redraw_interval=_MIN_INTERVAL,
            refresh_interval=_MAX_DELAY,
            before_render=self._before_render,
            after_render=self._after_render,
            input=input,
            output=output or drag_output(),
        )
        self._title = WindowTitle(self.application.output)
        self.application.ttimeoutlen, self.application.timeoutlen = 0.05, 0.25
        self._question = self._background_question() if theme is Theme.AUTO else None

    def _set_theme(self, theme: Theme) -> None:
        self._style = style(theme, self._depth)

    def _background_question(self) -> BackgroundQuestion | None:
        if self._depth is ColorDepth.DEPTH_1_BIT:
            return None

        def answered(theme: Theme) -> None:
            self._set_theme(theme)
            self.redraw()

        return BackgroundQuestion(self.application.input, self.application.output, answered)

    def title(self) -> str:
        """Return the title of the window."""
        return "nsroom"

    def prepare(self, now: float) -> None:
        """Update the state for a frame at this time, in seconds since the epoch."""

    async def close(self) -> None:
        """Release resources after the screen is closed. Raises: NsroomError."""

    async def run(self) -> None:
        """Show the screen until the user leaves or `finish` is called.

        Raises: the error given to `finish`; Stopped when the terminal is closed.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._handle_loop_error)
        try:
            await self._run_application()
        except EOFError:
            raise Stopped(_HANGUP) from None
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EBADF, errno.EPIPE):
                raise
            raise Stopped(_HANGUP) from None
        finally:
            with contextlib.suppress(OSError):  # the terminal may be closed
                self.application.renderer.reset()
                self._title.restore()
            loop.set_exception_handler(None)
            await self._cancel_tasks()
            await self.close()

    async def _run_application(self) -> None:
        running = asyncio.ensure_future(
            self.application.run_async(self._handle_start, set_exception_handler=False, handle_sigint=False)
        )
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self.finish()  # which waits for the terminal's answer
            await running
            raise

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _handle_start(self) -> None:
        if self._finished:
            self._exit()

    def finish(self, error: BaseException | None = None) -> None:
        """Close the view and make `run` raise the error, if any; the first call counts."""
        if not self._finished:
            self._finished, self._error = True, error
            if self.application.future is not None:
                self._exit()

    def _exit(self) -> None:
        loop, future = asyncio.get_running_loop(), self.application.future
        if self._question is not None and self._question.may_be_answered(loop.time()):
            loop.call_later(_ANSWER_INTERVAL, self._exit)
        elif future is None or future.done():  # the terminal was closed
            return
        elif self._error is None:
            self.application.exit()
        else:
            self.application.exit(exception=self._error)

    def leave(self) -> None:
        """Close the view because the user asked for it."""
        self.finish()

    def interrupt(self) -> None:
        """Handle Ctrl-C."""
        self.finish(Stopped(signal.SIGINT))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task of the view; an error in it closes the view."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._handle_task_end)

    def _handle_task_end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.finish(error)
        self.redraw()

    def _handle_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.finish(error if error is not None else RuntimeError(str(context.get("message"))))

    def redraw(self) -> None:
        """Redraw the screen when the next frame is due."""
        if self._redraw_timer is None and not self._finished:
            loop = asyncio.get_running_loop()
            self._redraw_timer = loop.call_at(max(self._next_frame, loop.time()), self._invalidate)

    def redraw_in(self, seconds: float) -> None:
        """Redraw the screen after this time, instead of a later redraw requested before."""
        if self._later_timer is not None:
            self._later_timer.cancel()
        self._later_timer = asyncio.get_running_loop().call_later(min(seconds, _MAX_DELAY), self.redraw)

    def _invalidate(self) -> None:
        self._redraw_timer = None
        self.application.invalidate()

    def _before_render(self, _application: Application[None]) -> None:
        self.prepare(time.time())
        self._title.show(self.title())
        self._frame_started = time.monotonic()

    def _after_render(self, _application: Application[None]) -> None:
        now = time.monotonic()
        self._next_frame = now + max((now - self._frame_started) * (_MAX_SHARE - 1), _MIN_INTERVAL)
        if self._question is not None:
            self._question.ask(now)

    def _fixed_bindings(self) -> KeyBindings:
        """Return the keys that the settings cannot change."""
        bindings = KeyBindings()

        @bindings.add("c-c", eager=True)
        def _(_event: KeyPressEvent) -> None:
            self.interrupt()

        @bindings.add("c-z")
        def _(_event: KeyPressEvent) -> None:
            self._title.restore()
            self.application.suspend_to_background()

        return bindings
