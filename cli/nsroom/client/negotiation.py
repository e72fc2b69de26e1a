"""Find out which Engine.IO revision and parser the server speaks.

The common dialect is tried first, so that it costs no extra round trip.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from nsroom.client.target import Parser, Protocol, Target
from nsroom.errors import ConnectError
from nsroom.protocol.dialect import Dialect


class OtherDialectError(ConnectError):
    """The server does not speak the dialect that was tried."""

    def __init__(self, text: str, dialect: Dialect, *, guessed: bool = False) -> None:
        super().__init__(text)
        self.dialect = dialect
        """The one that it speaks."""
        self.guessed = guessed
        """Whether the cause may be another: then this error is reported unless `dialect` works."""


def first_dialect(target: Target) -> Dialect:
    """Return the dialect to try first: the one that the user asked for, or the common one."""
    engine = 3 if target.protocol is Protocol.V3 else 4
    return Dialect(engine, target.parser is Parser.MSGPACK, urlencode(target.query))


class Negotiation:
    """The dialect of one server, kept from one connection to the next.

    Pure. For each connection `start` comes first, `switch` after each OtherDialectError, and one of `report`
    (the server was understood) and `reset` (it was not) last.
    """

    def __init__(self, target: Target, say: Callable[[str], object]) -> None:
        self.dialect = first_dialect(target)
        """The dialect to try now."""
        self._protocol = target.protocol
        self._parser = target.parser
        self._say = say
        self.start()

    def start(self) -> None:
        """Start a connection in the dialect of the last one."""
        self._known = self.dialect
        self._tried = {self.dialect}
        self._fault: OtherDialectError | None = None

    def switch(self, error: OtherDialectError) -> None:
        """Use the dialect that the server speaks.

        Raises: ConnectError if it was tried already, or the user ruled it out.
        """
        if self._fault is None or not self._fault.guessed:
            self._fault = error
        if error.dialect in self._tried or not self._admits(error.dialect):
            self.dialect = self._known
            raise self._with_advice(self._fault)
        self.dialect = error.dialect
        self._tried.add(error.dialect)

    def reset(self) -> OtherDialectError | None:
        """Return to the dialect before `start`; return the error to report if the last one was a guess."""
        self.dialect = self._known
        return self._fault if self._fault and self._fault.guessed else None

    def report(self) -> None:
        """Report a dialect other than that of the last connection."""
        if self.dialect != self._known:
            self._say(f"the server speaks {self.dialect}; {self.dialect.options} skips the detection")

    def _admits(self, dialect: Dialect) -> bool:
        same_engine = dialect.engine == self.dialect.engine
        same_parser = dialect.is_msgpack == self.dialect.is_msgpack
        return (same_engine or self._protocol is Protocol.AUTO) and (
            same_parser or self._parser is Parser.AUTO
        )

    def _with_advice(self, fault: OtherDialectError) -> ConnectError:
        """Add the options that would help, unless they were tried."""
        advice = []
        if self._protocol is not Protocol.AUTO and fault.dialect.engine != self._known.engine:
            advice.append(f"--protocol {fault.dialect.engine}")
        if self._parser is not Parser.AUTO and fault.dialect.is_msgpack != self._known.is_msgpack:
            advice.append(f"--parser {'msgpack' if fault.dialect.is_msgpack else 'json'}")
        if not advice:
            return fault
        verb = "try" if fault.guessed else "use"
        return ConnectError(f"{fault}: {verb} {' '.join(advice)}, or auto")
