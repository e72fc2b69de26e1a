"""Find out in what dialect a server is to be spoken to; no round trip more where it is the usual one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlencode

from nsroom.client.target import Parser, Protocol, Target
from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.dialect import Dialect

T = TypeVar("T")


class OtherDialectError(ConnectError):
    """The server does not speak the dialect that it was spoken to in."""

    def __init__(self, text: str, dialect: Dialect, *, guessed: bool = False) -> None:
        super().__init__(text)
        self.dialect = dialect
        """The one that it speaks."""
        self.guessed = guessed
        """Whether something else may be the cause: then this is what went wrong, unless the dialect works."""


def first_dialect(target: Target) -> Dialect:
    """Give the dialect to begin with: what the user asks for, else the usual one."""
    engine = 3 if target.protocol is Protocol.V3 else 4
    return Dialect(engine, target.parser is Parser.MSGPACK, urlencode(target.query))


class Negotiation:
    """The dialect of one server, over all connections to it."""

    def __init__(self, target: Target, say: Callable[[str], object]) -> None:
        self.dialect = first_dialect(target)
        self._protocol = target.protocol
        self._parser = target.parser
        self._say = say

    async def reach(self, attempt: Callable[[Dialect], Awaitable[T]]) -> T:
        """Connect; where the server speaks another dialect, and the user left it open, in that.

        Raises: ConnectError, RefusedError.
        """
        known, tried = self.dialect, {self.dialect}
        fault: OtherDialectError | None = None
        while True:
            try:
                reached = await attempt(self.dialect)
            except OtherDialectError as found:
                fault = fault if fault and fault.guessed else found
                if found.dialect in tried or not self._admits(found.dialect):
                    raise self._given_up(fault, known) from found
                self.dialect = found.dialect
                tried.add(found.dialect)
            except RefusedError:
                self._tell(known)
                raise
            except ConnectError as error:
                self.dialect = known
                if fault and fault.guessed:
                    raise fault from error
                raise
            else:
                self._tell(known)
                return reached

    def _admits(self, dialect: Dialect) -> bool:
        same_engine = dialect.engine == self.dialect.engine
        same_parser = dialect.is_msgpack == self.dialect.is_msgpack
        return (same_engine or self._protocol is Protocol.AUTO) and (
            same_parser or self._parser is Parser.AUTO
        )

    def _given_up(self, fault: OtherDialectError, known: Dialect) -> ConnectError:
        """Say what went wrong, and name the options that would mend it, unless they were tried."""
        advice = []
        if self._protocol is not Protocol.AUTO and fault.dialect.engine != known.engine:
            advice.append(f"--protocol {fault.dialect.engine}")
        if self._parser is not Parser.AUTO and fault.dialect.is_msgpack != known.is_msgpack:
            advice.append(f"--parser {'msgpack' if fault.dialect.is_msgpack else 'json'}")
        self.dialect = known
        if not advice:
            return fault
        verb = "try" if fault.guessed else "use"
        return ConnectError(f"{fault}: {verb} {' '.join(advice)}, or auto")

    def _tell(self, known: Dialect) -> None:
        if self.dialect != known:
            self._say(f"the server speaks {self.dialect}; {self.dialect.options} saves finding out")
