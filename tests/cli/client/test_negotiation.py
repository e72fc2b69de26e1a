"""Which dialects are tried in which order, and what is reported."""

from collections.abc import Callable

import pytest

from nsroom.client.negotiation import Negotiation, OtherDialectError, first_dialect
from nsroom.client.target import Parser, Protocol, Target
from nsroom.errors import ConnectError
from nsroom.protocol.dialect import DEFAULT, Dialect

OLD, MSGPACK, OLD_MSGPACK = Dialect(3), Dialect(4, True), Dialect(3, True)


def negotiation(
    protocol: str = "auto", parser: str = "auto", say: Callable[[str], object] = str
) -> Negotiation:
    return Negotiation(Target(protocol=Protocol(protocol), parser=Parser(parser)), say)


def speaks(dialect: Dialect, *, guessed: bool = False) -> OtherDialectError:
    """An attempt that ended because the server speaks this dialect."""
    return OtherDialectError("it closed", dialect, guessed=guessed)


def connect(negotiation: Negotiation, dialect: Dialect) -> list[Dialect]:
    """Connect to a server that speaks this dialect and says so; return the dialects that were tried."""
    negotiation.start()
    tried = [negotiation.dialect]
    while negotiation.dialect != dialect:
        negotiation.switch(speaks(dialect))
        tried.append(negotiation.dialect)
    negotiation.report()
    return tried


def test_the_common_dialect_is_tried_first_and_not_reported() -> None:
    said: list[str] = []
    assert connect(negotiation(say=said.append), DEFAULT) == [DEFAULT]
    assert said == []


@pytest.mark.parametrize("dialect", [OLD, MSGPACK, OLD_MSGPACK])
def test_another_dialect_is_reported_once_and_kept(dialect: Dialect) -> None:
    said: list[str] = []
    found = negotiation(say=said.append)
    assert connect(found, dialect) == [DEFAULT, dialect]
    assert connect(found, dialect) == [dialect]
    assert said == [f"the server speaks {dialect}; {dialect.options} skips the detection"]


def test_a_changed_server_is_detected_again() -> None:
    found = negotiation()
    connect(found, OLD)
    connect(found, DEFAULT)
    assert found.dialect == DEFAULT


@pytest.mark.parametrize(
    ("protocol", "parser", "dialect", "text"),
    [
        ("4", "auto", OLD, "it closed: use --protocol 3, or auto"),
        ("3", "auto", DEFAULT, "it closed: use --protocol 4, or auto"),
        ("auto", "json", MSGPACK, "it closed: use --parser msgpack, or auto"),
        ("auto", "msgpack", DEFAULT, "it closed: use --parser json, or auto"),
        ("4", "json", OLD_MSGPACK, "it closed: use --protocol 3 --parser msgpack, or auto"),
    ],
)
def test_the_users_choice_is_not_changed(protocol: str, parser: str, dialect: Dialect, text: str) -> None:
    chosen = negotiation(protocol, parser)
    before = chosen.dialect
    with pytest.raises(ConnectError) as raised:
        chosen.switch(speaks(dialect))
    assert (str(raised.value), chosen.dialect) == (text, before)


def test_after_a_wrong_guess_the_first_error_is_reported() -> None:
    found = negotiation()
    first = speaks(MSGPACK, guessed=True)
    found.switch(first)
    assert found.reset() is first
    assert found.dialect == DEFAULT


def test_after_a_certain_switch_the_last_error_is_reported() -> None:
    found = negotiation()
    found.switch(speaks(OLD))
    assert found.reset() is None
    assert found.dialect == DEFAULT


def test_a_refusal_in_another_dialect_is_an_answer() -> None:
    said: list[str] = []
    found = negotiation(say=said.append)
    found.switch(speaks(OLD))
    found.report()
    assert len(said) == 1


def test_two_dialects_that_refer_to_each_other_are_tried_once() -> None:
    found = negotiation()
    found.switch(OtherDialectError("neither", found.dialect.other_engine))
    assert found.dialect == OLD
    with pytest.raises(ConnectError, match="neither"):
        found.switch(OtherDialectError("neither", found.dialect.other_engine))
    assert found.dialect == DEFAULT


def test_the_query_is_part_of_the_dialect() -> None:
    assert first_dialect(Target(query=(("a", "b c"),), protocol=Protocol.V3)) == Dialect(3, False, "a=b+c")
