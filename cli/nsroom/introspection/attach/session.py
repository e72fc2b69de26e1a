"""A session in one process: its inspector is opened, the hook installed, and all of it taken back."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from nsroom.errors import ConnectError, LostError, NsroomError, RefusedError
from nsroom.introspection.attach.inspector import REQUIRE, Inspector, InspectorError, Place
from nsroom.introspection.attach.opening import (
    DEFAULT_PORT,
    Opened,
    open_inspector,
    reopened,
    wait_until_closed,
)
from nsroom.introspection.attach.processes import Process
from nsroom.introspection.attach.servers import find_servers
from nsroom.introspection.attach.turns import turn
from nsroom.introspection.observer import Say
from nsroom.record import Json

_RENEW_INTERVAL = 2.0
LEASE = 6.0
"""Seconds between two renewals, and after which the hook takes itself back."""
_END_TIMEOUT = 5.0
"""Seconds for the process to take everything back."""
_WORKERS = f"""(() => {{
  const cluster = {REQUIRE}("node:cluster");
  return cluster.isPrimary ? Object.values(cluster.workers ?? {{}}).map((each) => each.process.pid) : [];
}})()"""
_FIND = 'globalThis[Symbol.for("nsroom.observers")].hooks["{}"]'
_WATCH = "function(servers) { this.watch(servers) }"
_WATCH_EVENTS = "function() { this.watchEvents() }"
_ACT = "function(...args) { return this.act(...args) }"
_RENEW = "function(number) { return this.renew(number) }"
_MOVE = "function() { return this.move() }"
_BIND = "function() { this.bind() }"
_END = "function() { return this.end() }"


@cache
def _hook() -> str:
    return files("nsroom.introspection.attach").joinpath("hook.js").read_text("utf-8")


class Session:
    """The hook in one process, and the inspector through which it is reached."""

    def __init__(
        self,
        process: Process,
        on_changes: Callable[["Session", list[Json]], None],
        say: Say,
        is_ours: bool = False,
    ) -> None:
        """`on_changes` is called with what the hook reports, and with nothing when the process is lost.

        With `is_ours` an inspector that is open was opened because of us.
        """
        self.process = process
        self.name = str(process)
        self._on_changes = on_changes
        self._say = say
        self._is_ours = is_ours
        self._inspector = Inspector(self._on_event)
        self._opening: asyncio.Future[Opened] | None = None
        self._binding = f"nsroom_{secrets.token_hex(8)}"
        self._hook = ""
        self._received = 0
        self._renewing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the hook is installed, and the process was not lost."""
        return bool(self._hook) and not self._inspector.closed.done()

    async def open(self, app_port: int | None) -> None:
        """Open the inspector, connect to it and install the hook, which does nothing yet.

        Raises: as `open_inspector`; ConnectError if the inspector cannot be used, LostError.
        """
        async with turn(self.process.pid):
            opened = await self._finish(open_inspector(self.process, app_port, self._is_ours))
            await self._connect(opened)
            await self._install(opened)
            is_default = opened.by_us and opened.place.port == DEFAULT_PORT
            if is_default and await self._inspector.run(_MOVE, self._hook):
                opened = await self._move(opened, app_port)
        how = (
            "its inspector is open on {} until this ends" if opened.by_us else "its inspector was open on {}"
        )
        self._say(f"attaching to {self.name}: {how.format(opened.place)}")
        self._inspector.closed.add_done_callback(lambda _: self._on_changes(self, []))
        self._renewing = asyncio.create_task(self._renew())

    async def _finish(self, opening: Coroutine[Any, Any, Opened]) -> Opened:
        # Not cancelled with its caller: an inspector that opens nevertheless must be closed.
        self._opening = asyncio.ensure_future(opening)
        return await asyncio.shield(self._opening)

    async def _connect(self, opened: Opened) -> None:
        self._inspector = Inspector(self._on_event)
        try:
            await self._inspector.open(opened.place, opened.path)
            pid = await self._inspector.evaluate("process.pid")
            with contextlib.suppress(InspectorError):  # not in all versions of Node
                await self._inspector.call("NodeRuntime.notifyWhenWaitingForDisconnect", enabled=True)
            await self._inspector.call("Runtime.addBinding", name=self._binding)
        except (OSError, ValueError, InspectorError) as error:
            raise ConnectError(f"{self.name}: cannot use its inspector on {opened.place}: {error}") from None
        if pid != self.process.own_pid:
            raise ConnectError(f"the inspector on {opened.place} is that of pid {pid}, not of {self.name}")

    async def _install(self, opened: Opened) -> None:
        options = {
            "binding": self._binding,
            "opened": opened.by_us,
            "port": opened.place.port,
            "lease": LEASE * 1000,
        }
        with self._explained():
            require = await self._inspector.evaluate(REQUIRE, keep=True)
            argument = {"objectId": require}
            self._hook = await self._inspector.run(_hook(), require, options, argument, keep=True)

    async def _move(self, opened: Opened, app_port: int | None) -> Opened:
        """Follow the inspector to another port, where it opens when we have disconnected."""
        self._hook = ""
        self._inspector.close()
        await wait_until_closed(self.process.pid, opened.place)
        opened = await self._finish(reopened(self.process, app_port))
        await self._connect(opened)
        with self._explained():
            self._hook = await self._inspector.evaluate(_FIND.format(self._binding), keep=True)
            await self._inspector.run(_BIND, self._hook)
        return opened

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise what the inspector refuses as an error for the user."""
        try:
            yield
        except InspectorError as error:
            raise ConnectError(f"{self.name} cannot be observed: {error}") from None

    async def watch(self, port: int | None) -> bool:
        """Report the sockets of the servers at a port, or of all servers; return whether there are any.

        Raises: ConnectError, LostError.
        """
        with self._explained():
            found = await find_servers(self._inspector, port, self._note_search)
            if found is not None:
                await self._inspector.run(_WATCH, self._hook, {"objectId": found})
        return found is not None

    async def watch_events(self) -> None:
        """Report the packets of the sockets too. Raises: ConnectError, LostError."""
        with self._explained():
            await self._inspector.run(_WATCH_EVENTS, self._hook)

    def _note_search(self, megabytes: int) -> None:
        self._say(f"{self.name} must be searched for its servers: its {megabytes} MB stand still for that")

    @property
    def opened_it(self) -> bool:
        """Whether the inspector was opened because of us."""
        return self._opening is not None and self._opening.done() and self._opening.result().by_us

    async def workers(self) -> list[int]:
        """Return the ids of the workers, if the process is the primary of a cluster. Raises: LostError."""
        try:
            found = await self._inspector.evaluate(_WORKERS)
        except InspectorError:
            return []
        return [each for each in found if isinstance(each, int)] if isinstance(found, list) else []

    async def act(
        self, action: str, namespace: str, rooms: Sequence[Json] | None, args: Json, local: bool
    ) -> bool:
        """Act on sockets of a namespace; return whether there is that namespace.

        Raises: RefusedError, LostError.
        """
        try:
            found = await self._inspector.run(
                _ACT, self._hook, action, namespace, rooms, args, local, wait=True
            )
        except InspectorError as error:
            raise RefusedError(f"{self.name} refused {action}: {error}") from None
        return bool(found)

    def confirm(self) -> None:
        """Let the hook send more, after its changes were read."""
        if self.is_open:
            with contextlib.suppress(LostError):  # reported by the end of the connection
                self._inspector.notify(_RENEW, self._hook, self._received)

    async def _renew(self) -> None:
        """Keep the hook from removing itself; end the session if it has."""
        with contextlib.suppress(InspectorError, LostError):
            is_installed = True
            while is_installed:
                await asyncio.sleep(_RENEW_INTERVAL)
                is_installed = await self._inspector.run(_RENEW, self._hook, self._received)
        self._inspector.close()

    def _on_event(self, method: str, params: Json) -> None:
        if method == "NodeRuntime.waitingForDisconnect":
            self._inspector.close()  # the process waits for that before it exits
        match params:
            case {"name": self._binding, "payload": str() as payload}:
                self._received += 1
                changes = json.loads(payload)
                if isinstance(changes, list) and changes:
                    self._on_changes(self, changes)

    async def close(self) -> None:
        """Take everything back, and close the inspector unless it was open before or is used by others."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if self._opening is None:
            return
        with contextlib.suppress(NsroomError, InspectorError, OSError, ValueError):
            async with turn(self.process.pid), asyncio.timeout(_END_TIMEOUT):
                opened = await asyncio.shield(self._opening)
                if await self._take_back(opened):
                    self._inspector.close()
                    await self._check_closed(opened.place)
        self._inspector.close()

    async def _take_back(self, opened: Opened) -> bool:
        """Return whether the inspector will be closed."""
        if not self._hook:
            if not opened.by_us:
                return False
            await self._connect(opened)
            await self._install(opened)
        return bool(await self._inspector.run(_END, self._hook))

    async def _check_closed(self, place: Place) -> None:
        if not await wait_until_closed(self.process.pid, place):
            self._say(f"the inspector of {self.name} is still open on {place}: another debugger uses it")
