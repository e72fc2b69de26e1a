"""Which dialects are tried, and what is said of it."""

from collections.abc import Callable

import pytest

from nsroom.client.negotiation import Negotiation, OtherDialectError, first_dialect
from nsroom.client.target import Parser, Protocol, Target
from nsroom.errors import ConnectError, RefusedError
from nsroom.protocol.dialect import DEFAULT, Dialect

OLD, MSGPACK, OLD_MSGPACK = Dialect(3), Dialect(4, True), Dialect(3, True)


class Server:
    """Speaks one dialect; in another it says which, or leaves that to be guessed."""

    def __init__(self, speaks: Dialect, *, guessed: bool = False, then: Exception | None = None) -> None:
        self.asked: list[Dialect] = []
        self._speaks, self._guessed, self._then = speaks, guessed, then

    async def attempt(self, dialect: Dialect) -> str:
        self.asked.append(dialect)
        if dialect != self._speaks:
            raise OtherDialectError("it closed", self._speaks, guessed=self._guessed)
        if self._then is not None:
            raise self._then
        return "reached"


def negotiation(
    protocol: str = "auto", parser: str = "auto", say: Callable[[str], object] = str
) -> Negotiation:
    return Negotiation(Target(protocol=Protocol(protocol), parser=Parser(parser)), say)


async def test_nothing_is_tried_or_said_where_it_is_the_usual_one() -> None:
    said: list[str] = []
    server = Server(DEFAULT)
    assert await negotiation(say=said.append).reach(server.attempt) == "reached"
    assert (server.asked, said) == ([DEFAULT], [])


@pytest.mark.parametrize("dialect", [OLD, MSGPACK, OLD_MSGPACK])
async def test_what_is_found_is_said_in_one_line_and_kept(dialect: Dialect) -> None:
    said: list[str] = []
    server = Server(dialect)
    found = negotiation(say=said.append)
    for _ in range(2):
        await found.reach(server.attempt)
    assert server.asked == [DEFAULT, dialect, dialect]
    assert said == [f"the server speaks {dialect}; {dialect.options} saves finding out"]


async def test_a_server_that_was_changed_is_found_again() -> None:
    found = negotiation()
    await found.reach(Server(OLD).attempt)
    await found.reach(Server(DEFAULT).attempt)
    assert found.dialect == DEFAULT


@pytest.mark.parametrize(
    ("protocol", "parser", "speaks", "text"),
    [
        ("4", "auto", OLD, "it closed: use --protocol 3, or auto"),
        ("3", "auto", DEFAULT, "it closed: use --protocol 4, or auto"),
        ("auto", "json", MSGPACK, "it closed: use --parser msgpack, or auto"),
        ("auto", "msgpack", DEFAULT, "it closed: use --parser json, or auto"),
        ("4", "json", OLD_MSGPACK, "it closed: use --protocol 3 --parser msgpack, or auto"),
    ],
)
async def test_what_the_user_said_is_done(protocol: str, parser: str, speaks: Dialect, text: str) -> None:
    server = Server(speaks)
    with pytest.raises(ConnectError) as raised:
        await negotiation(protocol, parser).reach(server.attempt)
    assert (str(raised.value), len(server.asked)) == (text, 1)


async def test_a_guess_that_fails_leaves_what_went_wrong_before() -> None:
    found = negotiation()
    with pytest.raises(ConnectError, match=r"^it closed$"):
        await found.reach(Server(MSGPACK, guessed=True, then=ConnectError("worse")).attempt)
    assert found.dialect == DEFAULT


async def test_what_is_known_for_certain_gives_way_to_what_fails_then() -> None:
    with pytest.raises(ConnectError, match=r"^worse$"):
        await negotiation().reach(Server(OLD, then=ConnectError("worse")).attempt)


async def test_a_refusal_is_an_answer() -> None:
    said: list[str] = []
    with pytest.raises(RefusedError):
        await negotiation(say=said.append).reach(Server(OLD, then=RefusedError("no")).attempt)
    assert len(said) == 1


async def test_two_dialects_that_point_at_each_other_are_tried_once() -> None:
    asked: list[Dialect] = []

    async def attempt(dialect: Dialect) -> None:
        asked.append(dialect)
        raise OtherDialectError("neither", dialect.other_engine)

    with pytest.raises(ConnectError, match="neither"):
        await negotiation().reach(attempt)
    assert asked == [DEFAULT, OLD]


def test_the_query_goes_with_it() -> None:
    assert first_dialect(Target(query=(("a", "b c"),), protocol=Protocol.V3)) == Dialect(3, False, "a=b+c")
