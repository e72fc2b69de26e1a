"""--drop, and the packets that faults apply to."""

import pytest

from nsroom.errors import UsageError
from nsroom.proxy.faults import Faults, parse_share
from nsroom.record import Direction, Kind, Record


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1), ("0", 0), ("1", 1), ("2.5%", 0.025)]
)
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "5", "101%", "-1%", "5 %", "x", "1e-1"])
def test_invalid_shares(text: str) -> None:
    with pytest.raises(UsageError, match="--drop"):
        parse_share(text)


def record(kind: Kind) -> Record:
    return Record(0, 1, Direction.IN, kind)


def test_kinds_of_packets_that_faults_apply_to() -> None:
    default, chosen = Faults(drop=1), Faults(drop=1, where=lambda _record: True)
    assert [kind for kind in Kind if default.drops(record(kind))] == [Kind.EVENT, Kind.ACK]
    kept = {Kind.OPEN, Kind.UPGRADE, Kind.CLOSE, Kind.RECONNECT, Kind.GAP, Kind.PROTOCOL_ERROR}
    assert {kind for kind in Kind if not chosen.drops(record(kind))} == kept
    assert not Faults().drops(record(Kind.EVENT))


def test_the_share_is_kept_on_average() -> None:
    faults = Faults(drop=0.3)
    assert 200 < sum(faults.drops(record(Kind.EVENT)) for _ in range(1000)) < 400
