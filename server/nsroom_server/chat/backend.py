"""What is behind the namespaces: this process alone, or Redis and other servers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from nsroom_server.chat.delivery import Ways
from nsroom_server.chat.history import History
from nsroom_server.chat.presence import Presence
from nsroom_server.counters import BusFigures
from nsroom_server.socketio.application import Json


class Bus(Protocol):
    """What connects several servers."""

    @property
    def works(self) -> bool:
        """Whether it takes and gives entries."""

    @property
    def figures(self) -> BusFigures:
        """What went over it."""


Question = Callable[[Sequence[Json]], Awaitable[list[Json]]]
"""Answer the arguments of a question, in parts that are not too large; without binary."""


class Others(Protocol):
    """The other servers."""

    @property
    def watching(self) -> bool:
        """Whether there is an administrator on one of them."""

    def watch(self) -> None:
        """Have them tell what happens there, for some seconds."""

    async def ask(self, question: str, args: Sequence[Json]) -> list[Json]:
        """Give the parts of all answers that come in time.

        Raises: Refusal.
        """

    def answer(self, questions: Mapping[str, Question]) -> None:
        """Answer what they ask."""


class NoOthers:
    """One server alone."""

    watching = False

    def watch(self) -> None:
        """Do nothing."""

    async def ask(self, question: str, args: Sequence[Json]) -> list[Json]:  # noqa: ARG002
        """Give no answer."""
        return []

    def answer(self, questions: Mapping[str, Question]) -> None:
        """Do nothing: nobody asks."""


class Backing(NamedTuple):
    """Where messages are kept, who is there, and how both get about."""

    history: History
    presence: Presence
    deliveries: Ways
    bus: Bus | None = None
    others: Others = NoOthers()
