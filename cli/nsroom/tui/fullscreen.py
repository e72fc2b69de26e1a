"""A full screen on one side, a person on the other: painted when something has changed, ended in order."""

import asyncio
import contextlib
import errno
import signal
import time
from collections.abc import Coroutine
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import Output

from nsroom.errors import Stopped
from nsroom.tui.screen.style import color_depth, style

_FRAME = 1 / 30
_SHARE = 3
"""A frame may take a third of the time, however large the screen and slow the terminal."""


class Stage:
    """An application of prompt-toolkit that has the whole terminal."""

    def __init__(
        self,
        layout: Layout,
        keys: KeyBindingsBase,
        theme: str,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended: BaseException | None = None
        self._has_ended = False
        self._next_frame = self._frame_began = 0.0
        self._painting: asyncio.TimerHandle | None = None
        depth = color_depth()
        self.application: Application[None] = Application(
            layout=layout,
            key_bindings=merge_key_bindings([keys, self._always()]),
            style=style(theme, depth),
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

    def prepare(self, now: float) -> None:
        """Get ready for a frame at this time, in seconds since the epoch."""

    async def close(self) -> None:
        """Do what is left to do when the screen has gone. Raises: NsroomError."""

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
            await self.close()

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
        self.prepare(time.time())
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
