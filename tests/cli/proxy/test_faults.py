"""Faults on purpose, as the command line says them."""

import pytest

from nsroom.cli.durations import parse_time
from nsroom.errors import UsageError
from nsroom.proxy.faults import Faults, parse_share
from nsroom.record import Direction, Kind, Record


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1), ("0", 0), ("1", 1), ("2.5%", 0.025)]
)
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "5", "101%", "-1%", "5 %", "x", "1e-1"])
def test_no_shares(text: str) -> None:
    with pytest.raises(UsageError, match="--drop"):
        parse_share(text)


@pytest.mark.parametrize(("text", "seconds"), [("200ms", 0.2), ("1.5s", 1.5), ("0s", 0)])
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "200", "1m", "-1s", "ms"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError, match="--delay"):
        parse_time(text)


def record(kind: Kind) -> Record:
    return Record(0, 1, Direction.IN, kind)


def test_whom_they_concern() -> None:
    usual, chosen = Faults(drop=1), Faults(drop=1, where=lambda _record: True)
    assert [kind for kind in Kind if usual.drops(record(kind))] == [Kind.EVENT, Kind.ACK]
    spared = {Kind.OPEN, Kind.UPGRADE, Kind.CLOSE, Kind.RECONNECT, Kind.GAP, Kind.PROTOCOL_ERROR}
    assert {kind for kind in Kind if not chosen.drops(record(kind))} == spared
    assert not Faults().drops(record(Kind.EVENT))


def test_a_share_is_a_share() -> None:
    faults = Faults(drop=0.3)
    assert 200 < sum(faults.drops(record(Kind.EVENT)) for _ in range(1000)) < 400
