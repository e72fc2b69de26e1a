"""The namespaces that a client wants to be in, and what the server says of each."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.session import Session
from nsroom.record import Json, Record


class Memberships:
    """Namespaces over all connections of one client."""

    def __init__(self, wanted: Iterable[str], auth: dict[str, Json] | None) -> None:
        self.wanted = list(wanted)
        """Those to be in, now and after a reconnection."""
        self.refused: dict[str, str] = {}
        """Those that the server refused, and why."""
        self._auth = auth or {}
        self._answers: dict[str, asyncio.Future[Record | None]] = {}
        self._recovery: dict[str, dict[str, str]] = {}

    def begin(self, before: Session) -> None:
        """Begin anew after a connection that may be recoverable: all that are wanted are asked for."""
        for namespace, offset in before.offsets.items():
            self._recovery[namespace] = {"pid": before.recovery[namespace], "offset": offset}
        self._answers.clear()
        self.expect(self.wanted)

    def payload(self, namespace: str) -> dict[str, Json] | None:
        """Give the payload of a CONNECT."""
        return self._recovery.get(namespace, {}) | self._auth or None

    def expect(self, namespaces: Iterable[str]) -> None:
        """Expect the server's word on namespaces."""
        loop = asyncio.get_running_loop()
        self._answers |= {namespace: loop.create_future() for namespace in namespaces}

    def is_pending(self, namespace: str) -> bool:
        """Tell whether a namespace was asked for and not answered yet."""
        answer = self._answers.get(namespace)
        return answer is not None and not answer.done()

    async def answered(self, namespaces: Sequence[str], ended: "asyncio.Future[Any]") -> bool:
        """Wait for the server's word on every one of these; False when the connection has ended before.

        Raises: what was given to `fail`.
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
        """Tell everyone who waits that no word can be trusted."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)
                # Who waits hears it of one of them; asyncio would complain about the others.
                answer.exception()

    def accept(self, record: Record) -> None:
        """Take the answer to a CONNECT."""
        self.refused.pop(record.namespace or "/", None)
        self._answer(record)

    def refuse(self, record: Record) -> None:
        """Take the refusal of a namespace."""
        self.refused[record.namespace or "/"] = record.message or "no reason given"
        self._answer(record)

    def refuse_rest(self, reason: str) -> None:
        """Take that no other namespace will be answered."""
        for namespace, answer in self._answers.items():
            if not answer.done():
                self.refused[namespace] = reason
                answer.set_result(None)

    def _answer(self, record: Record) -> None:
        answer = self._answers.get(record.namespace or "/")
        if answer is not None and not answer.done():
            answer.set_result(record)

    def check(self) -> list[str]:
        """Give up what was refused; say what that is.

        Raises: RefusedError when nothing is left.
        """
        refused = [self.refusal(each) for each in self.wanted if each in self.refused]
        self.wanted = [each for each in self.wanted if each not in self.refused]
        if not self.wanted:
            raise RefusedError("; ".join(refused))
        return refused

    def refusal(self, namespace: str) -> str:
        """Say why a namespace is refused."""
        return f"{namespace} is refused: {self.refused[namespace]}"

    def leave(self, namespace: str) -> None:
        """Want a namespace no longer."""
        if namespace in self.wanted:
            self.wanted.remove(namespace)
