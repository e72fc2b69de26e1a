"""Frames in lines as people copy them from network panels, logs and source code."""

import pytest

from nsroom.protocol.explain.capture import split
from nsroom.protocol.explain.explainer import Explainer

EVENT = '42["hi",1]'


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (f"↑ {EVENT}", [EVENT]),
        ("↓ 2probe", ["2probe"]),
        (f"{EVENT}\t10\t12:34:56.789", [EVENT]),
        (f"{EVENT}    70288   ", [EVENT]),
        (f"   {EVENT}", [EVENT]),
        (f"12:34:56.789 {EVENT}", [EVENT]),
        (f"2026-11-28T12:34:56.789Z {EVENT}", [EVENT]),
        ('"42[\\"hi\\",1]"', [EVENT]),
        (f"'{EVENT}'", [EVENT]),
        (f"b'{EVENT}'", [EVENT]),
        (f'40{{"sid":"a"}}\\x1e{EVENT}', ['40{"sid":"a"}', EVENT]),
        ('2["hi",1]', [EVENT]),
        ('2/admin,["hi",1]', ['42/admin,["hi",1]']),
        ('3/admin,12["ok"]', ['43/admin,12["ok"]']),
        ('51-["b",{"_placeholder":true,"num":0}]', ['451-["b",{"_placeholder":true,"num":0}]']),
        ('0/chat,{"token":"x"}', ['40/chat,{"token":"x"}']),
        ('["hi",1]', [EVENT]),
    ],
)
def test_the_frame_is_found_and_the_difference_reported(text: str, frames: list[str]) -> None:
    found = split(text)
    assert [each.frame for each in found] == frames
    assert all(each.hint for each in found)
    assert not any(Explainer().explain(each).error for each in found)


@pytest.mark.parametrize(
    "text", [EVENT, "2", "3probe", "40", "40/chat,", "b4AQI=", "4hello", "2\x1e3probe", '42["a\t1"]']
)
def test_frames_as_on_the_wire_have_no_hint(text: str) -> None:
    assert [each.hint for each in split(text)] == [None] * (1 + text.count("\x1e"))


@pytest.mark.parametrize(
    "text", ["3a4f", "12 o'clock", "2026-11-28", "6 of 9", "deadbeef", "hello", "'", '"']
)
def test_other_text_is_not_explained_as_a_frame(text: str) -> None:
    assert all(Explainer().explain(each).error for each in split(text))
