import base64
import json

import pytest

from nsroom.record import Json
from nsroom.tui.screen.decoded import MAX_LENGTH, Step, as_time, content


def part(value: object) -> str:
    """Return a part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


HEADER, CLAIMS = {"alg": "HS256"}, {"sub": "ann", "exp": 1732363202}
JWT = f"{part(HEADER)}.{part(CLAIMS)}.c2ln"


@pytest.mark.parametrize("text", ['{"a": 1}', "[1]", ' {"a": {}}'])
def test_json_in_a_text(text: str) -> None:
    found = content(text)
    assert found is not None
    assert found.values == [(Step.JSON, "", json.loads(text))]
    assert "JSON" in found.name


@pytest.mark.parametrize("text", [JWT, f"Bearer {JWT}"])
def test_a_jwt(text: str) -> None:
    found = content(text)
    assert found is not None
    assert found.values == [(Step.HEADER, "header", HEADER), (Step.PAYLOAD, "payload", CLAIMS)]
    assert "not checked" in found.name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "null",
        '"x"',
        "{}",
        "[]",
        "{not json}",
        "[" * 100_000,
        "[" + "9" * 5000 + "]",
        f"[{'1,' * MAX_LENGTH}1]",
        "eyJhbGciOi.eyJzdWIi.x",
        "eyJ///.eyJ///.x",
        f"{part([1])}.{part([2])}.x",
        "eyJ\u00ff.eyJ.x",
    ],
    ids=range(14),
)
def test_texts_that_hold_nothing(text: str) -> None:
    assert content(text) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1732363202, "epoch s: 2024-11-23 12:00:02 UTC"),
        (1732363202.5, "epoch s: 2024-11-23 12:00:02.500 UTC"),
        (1732363202123, "epoch ms: 2024-11-23 12:00:02.123 UTC"),
        ("2024-11-23T12:00:02Z", "ISO 8601: 2024-11-23 12:00:02 UTC"),
        ("2024-11-23T13:00:02.250+01:00", "ISO 8601: 2024-11-23 12:00:02.250 UTC"),
        ("2024-11-23T13:00+0100", "ISO 8601: 2024-11-23 12:00:00 UTC"),
        ("2024-11-23T12:00:02", ""),
        ("2024-13-23T12:00:02Z", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("1732363202", ""),
        (5, ""),
        (True, ""),
        (10**400, ""),
        (float("inf"), ""),
        (float("nan"), ""),
        (None, ""),
    ],
    ids=range(16),
)
def test_values_that_may_be_times(value: Json, shown: str) -> None:
    assert as_time(value, utc=True) == shown
