"""Names are printable, and none looks like another one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.settings.names import is_distinct, is_name

EMOJI = (
    *("😀", "❤️", "👍🏽", "☝🏿", "👩‍💻", "👩🏽‍💻", "👨‍👩‍👧‍👦", "👩‍❤️‍💋‍👨", "🕵🏻‍♀️", "🏳️‍🌈", "🏴‍☠️", "🇩🇪"),
    *("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "1️⃣", "#️⃣", "‼️", "㊗️"),
)
WORDS = ("lobby", "a b", "ñandú", "名前", "שָׁלוֹם", "ที่นี่", "हिन्दी", "Việt", "한국", "★", "¡olé!")
UNSEEN = (
    "\u034f\u115f\u1160\u2800\u3164\uffa0\ufe00\ufe0e\ufe0f\u200b\u200d\u20e3\u00ad\u2060"
    "\U000e0067\U000e0100\U0001d159"
)


def is_valid(name: str) -> bool:
    return is_name(name, 128) and is_distinct(name)


@pytest.mark.parametrize("name", [*EMOJI, *WORDS, "a" * 128])
def test_names(name: str) -> None:
    assert is_valid(name)


@pytest.mark.parametrize(
    "name",
    [
        *(" ", "lobby ", " lobby", "a  b"),
        *("n\u0303andu", "\u1112\u1161\u11ab", "\u0301", "a \u0301", "q" + "\u0301" * 20, "❤️ \u0301"),
        *("lobby\u3164", "\u115f", "\uffa0", "lobby\u2800", "lobby\ufe0f", "lobby\U000e0100", "lobby\u034f"),
        *(
            "❤️\ufe0f",
            "❤\ufe0e",
            "😀\ufe0f",
            "°\ufe0f",
            "⠁\ufe0f",
            "─\ufe0f",
            "1\ufe0f",
            "1\u20e3",
            "a\ufe0f\u20e3",
        ),
        *(
            "a\u200db",
            "👩\u200d",
            "\u200d👩",
            "👩\u200d\u200d💻",
            "👩\u200da",
            "👩\u200d❤\u200d👨",
            "☝\ufe0f🏿",
        ),
        *("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e007f", "a\U000e0067"),
        *("", "a" * 129, "a\n", "\ud800"),
    ],
)
def test_other_names(name: str) -> None:
    assert not is_valid(name)


@given(
    st.lists(st.sampled_from([*EMOJI, *WORDS]), min_size=1, max_size=5), st.sampled_from(UNSEEN), st.data()
)
def test_what_is_not_seen_makes_no_other_name(parts: list[str], unseen: str, data: st.DataObject) -> None:
    assert is_valid("".join(parts))
    place = data.draw(st.integers(0, len(parts)))
    before, after = parts[:place], parts[place:]
    # Unless it is seen: it joins two emoji.
    if unseen != "\u200d" or not before or not after or not {before[-1], after[0]} <= {*EMOJI}:
        assert not is_valid("".join((*before, unseen, *after)))


@given(st.text(max_size=20) | st.text("a❤☝😀👩💻🏽\ufe0f\ufe0e\u200d\u20e3\u0301 1#🏴", max_size=8))
def test_a_valid_name_is_the_only_one_of_its_kind(name: str) -> None:
    if is_valid(name):
        assert name == unicodedata.normalize("NFC", name).strip()
        for other in (
            f"{name} ",
            f" {name}",
            f"{name}\u3164",
            f"{name}\u200b",
            f"{name}\ufe0f\ufe0f",
            f"{name}\u200d",
        ):
            assert not is_valid(other)
