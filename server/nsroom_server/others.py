"""The other servers, as an administrator sees them: they are asked, and they tell what happens there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from nsroom_server.application import Json

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
