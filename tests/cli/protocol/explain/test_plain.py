"""The quick explanation of plain frames is the one that the Explainer makes without it."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.protocol.explain import plain
from nsroom.protocol.explain.explainer import Explainer, Explanation, Found
from nsroom.protocol.explain.fields import LISTED
from nsroom.protocol.limits import LIMITS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("connect"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
HEADERS = st.sampled_from(
    ["42", "43", "437", "42/chat,", "42/a?b=c,12", "43/a,0", "42/a", "40", "4212345678901234567"]
)
FRAMES = st.builds(
    lambda header, values, blanks: header + json.dumps(values, ensure_ascii=False, separators=blanks),
    HEADERS,
    st.lists(VALUES, max_size=4),
    st.sampled_from([(",", ":"), (", ", ": ")]),
)


def slowly(frame: str) -> Explanation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "fields", lambda _: None)
        return Explainer().explain(Found(frame))


def same(frame: str) -> bool:
    """Return whether the frame is plain; fail if it is explained in another way then."""
    fields = plain.fields(frame)
    expected = slowly(frame)
    if fields is not None:
        assert (fields, None) == (expected.fields, expected.error)
    return fields is not None


@given(FRAMES, st.randoms(use_true_random=False))
def test_plain_frames_are_explained_alike(frame: str, chance: random.Random) -> None:
    same(frame)
    at = chance.randrange(len(frame))
    same(frame[:at])
    same(frame[:at] + chance.choice('[]{},:"\\1tn-. \x00') + frame[at:])
    same(frame[:at] + frame[at + 1 :])


@pytest.mark.parametrize(
    "frame",
    [
        '42["a"]',
        '42["connect",1]',
        '42[1.5,null,true,"é",{"a":[1]},[]]',
        '42/chat,["a"]',
        '42/chat,12["a",{"b":"]"}]',
        '4312["a"]',
        "43/chat,0[1]",
        f'42["a"{",1" * (LISTED - 1)}]',
        f'42["a",{"[" * (LIMITS.depth - 1)}{"]" * LIMITS.depth}',
    ],
)
def test_these_are_plain(frame: str) -> None:
    assert same(frame)


@pytest.mark.parametrize(
    "frame",
    [
        '42["a"',
        '42["a"]]',
        '42["a"],',
        '42["a",]',
        "42[]",
        "42[true]",
        "42[NaN]",
        "42[-Infinity]",
        '42["a" ]',
        '42 ["a"]',
        '42["a",1e999]',
        f'42["a",{"1" * 5000}]',
        '43["a"]',
        '429007199254740992["a"]',
        '42/a?b=c,["a"]',
        f'42/{"n" * LIMITS.namespace},["a"]',
        f'42["a",{"[" * LIMITS.depth}{"]" * LIMITS.depth}]',
        f'42["a"{",1" * LISTED}]',
        '451-["a",{"_placeholder":true,"num":0}]',
    ],
)
def test_these_are_not(frame: str) -> None:
    assert plain.fields(frame) is None
