"""The namespaces the client has joined, and the server's answer for each."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.refusals import explain_connect_error
from nsroom.protocol.session import Observer
from nsroom.record import Json, Record

_UNKNOWN = "Invalid namespace"
"""The message with which servers refuse a namespace that has no handler."""
_MAX_LATE_TRIES = 5
"""How often to wait for a late namespace while the server knows others: with back-off some 10 s."""


class Namespaces:
    """The namespaces of one client, across all its connections."""

    def __init__(self, wanted: Iterable[str], auth: dict[str, Json] | None) -> None:
        self.wanted = list(wanted)
        """The namespaces to connect to, now and after a reconnection."""
        self.refused: dict[str, str] = {}
        """The namespaces that the server refused, with its reasons."""
        self.auth = auth
        """The payload of CONNECT."""
        self._joined: set[str] = set()
        """The namespaces that were connected at some time."""
        self._late: set[str] = set()
        """Those of them that the server does not know now: after its restart they may be late."""
        self._late_tries = 0
        self._answers: dict[str, asyncio.Future[Record | None]] = {}
        self._recovery: dict[str, dict[str, str]] = {}

    def start(self, before: Observer) -> None:
        """Start a connection: expect an answer for every wanted namespace.

        `before` is the session of the last connection, which the server may be able to recover.
        """
        for namespace, offset in before.offsets.items():
            self._recovery[namespace] = {"pid": before.recovery[namespace], "offset": offset}
        self._answers.clear()
        self._late.clear()
        self.expect(self.wanted)

    def payload(self, namespace: str) -> dict[str, Json] | None:
        """Return the payload of a CONNECT packet."""
        return self._recovery.get(namespace, {}) | (self.auth or {}) or None

    def expect(self, namespaces: Iterable[str]) -> None:
        """Expect the server's answer for each of the namespaces."""
        loop = asyncio.get_running_loop()
        self._answers |= {namespace: loop.create_future() for namespace in namespaces}

    def is_pending(self, namespace: str) -> bool:
        """Return whether the answer for a namespace is expected and has not arrived."""
        answer = self._answers.get(namespace)
        return answer is not None and not answer.done()

    async def wait(self, namespaces: Sequence[str], ended: "asyncio.Future[Any]") -> bool:
        """Wait for the answer for each of the namespaces; return False if the connection ended first.

        Raises: the error passed to `fail`.
        """
        waiting = {self._answers[namespace] for namespace in namespaces}
        while waiting:
            every: set[asyncio.Future[Any]] = {*waiting, ended}
            await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
            for answer in [each for each in waiting if each.done()]:
                answer.result()
                waiting.discard(answer)
            if waiting and ended.done():
                return False
        return True

    def fail(self, error: ConnectError) -> None:
        """Make `wait` raise an error: the server's answers cannot be understood."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # marked as retrieved: `wait` reads only one of them

    def on_connect(self, record: Record) -> None:
        """Handle the answer to a CONNECT."""
        self.refused.pop(record.namespace or "/", None)
        self._joined.add(record.namespace or "/")
        self._resolve(record)

    def on_connect_error(self, record: Record) -> None:
        """Handle the refusal of a namespace; Socket.IO 2 refuses the root namespace unasked."""
        namespace = record.namespace or "/"
        if namespace == "/" or namespace in self._answers:
            self.refused[namespace] = explain_connect_error(record.data)
            if namespace in self._joined and record.message == _UNKNOWN:
                self._late.add(namespace)
        self._resolve(record)

    def refuse_pending(self, reason: str) -> None:
        """Treat every namespace without an answer as refused."""
        for namespace, answer in self._answers.items():
            if not answer.done():
                self.refused[namespace] = reason
                answer.set_result(None)

    def _resolve(self, record: Record) -> None:
        answer = self._answers.get(record.namespace or "/")
        if answer is not None and not answer.done():
            answer.set_result(record)

    def remove_refused(self) -> list[str]:
        """Remove the refused namespaces from the wanted ones; return a message about each.

        Raises: RefusedError when all are refused; ConnectError when some were known before and may be late.
        """
        if self._late and (self._late >= set(self.wanted) or self._late_tries < _MAX_LATE_TRIES):
            self._late_tries += 1
            names = ", ".join(sorted(self._late))
            raise ConnectError(f"the server does not know {names} yet ({_UNKNOWN}): it may be starting")
        self._late_tries = 0
        refused = [self.refusal(each) for each in self.wanted if each in self.refused]
        self.wanted = [each for each in self.wanted if each not in self.refused]
        if refused and not self.wanted:
            raise RefusedError("; ".join(refused))
        return refused

    def refusal(self, namespace: str) -> str:
        """Return a message about a refused namespace."""
        return f"{namespace} is refused: {self.refused[namespace]}"

    def remove(self, namespace: str) -> None:
        """Remove a namespace from the wanted ones."""
        if namespace in self.wanted:
            self.wanted.remove(namespace)
