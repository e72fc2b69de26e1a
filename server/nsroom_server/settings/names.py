"""Which names rooms, nicks and namespaces can have: printable ones that do not look like another name.

A name is in its composed form (NFC), without anything that is not seen: blanks at its ends, fillers, lone
variation selectors. Of emoji it may have the sequences of Unicode's standard, in their full form: a base
with a variation selector where it needs one, skin tones, joined emoji, keycaps and flags.
https://www.unicode.org/reports/tr51/. Letters of different scripts that look alike are not compared.
"""

import re
import unicodedata
from typing import Any, Final

_MAX_MARKS: Final = 4
"""Combining marks on one character: Hebrew, Thai and Indic scripts need up to four."""
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u20e3\u2800\u3164\ufe00-\ufe0f\uffa0\U00016fe4\U0001d159"
    "\U000e0100-\U000e01ef]"
)
"""Joiners, fillers, blanks, keycaps and variation selectors, which are printable by Unicode's categories."""
# Unicode has no property for these in the standard library. Of later versions some are missing: those are
# accepted alone, but not in sequences.
_TEXT = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622"
    "\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e"
    "\u2692\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3\u26e9\u26f0\u26f1"
    "\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744"
    "\u2747\u2763\u2764\u27a1\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299\U0001f170\U0001f171\U0001f17e"
    "\U0001f17f\U0001f202\U0001f237\U0001f321\U0001f324-\U0001f32c\U0001f336\U0001f37d\U0001f396\U0001f397"
    "\U0001f399-\U0001f39b\U0001f39e\U0001f39f\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5"
    "\U0001f3f7\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570\U0001f573-\U0001f579"
    "\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc"
    "\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef"
    "\U0001f5f3\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3"
)
"""Characters that are text unless a variation selector makes them emoji."""
_COLOR = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
    "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c"
    "\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f300-\U0001f3fa"
    "\U0001f400-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
"""Characters that are emoji by themselves, and some of the others."""
_TONE = "[\U0001f3fb-\U0001f3ff]"
_ONE = f"(?:[{_TEXT}]\ufe0f(?!{_TONE})|[{_TEXT}{_COLOR}]{_TONE}|(?![{_TEXT}])[{_COLOR}])"
_FLAG = "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|"
_FLAG += "\U000e0077\U000e006c\U000e0073)\U000e007f"
"""England, Scotland, Wales."""
_EMOJI = re.compile(f"[#*0-9]\ufe0f\u20e3|{_FLAG}|{_ONE}(?:\u200d{_ONE})*")
_SEEN = "\u263a"
"""Replaces an emoji of any number of characters."""


def is_name(value: Any, max_length: int) -> bool:
    """Return whether a value is 1 to `max_length` printable characters."""
    return isinstance(value, str) and 1 <= len(value) <= max_length and _plain(value).isprintable()


def is_distinct(name: str) -> bool:
    """Return whether a printable name has only characters that can be seen, in their composed form.

    Otherwise two names could look the same.
    """
    if name != name.strip() or "  " in name:
        return False
    if name.isascii():
        return True
    plain = _plain(name)
    if _INVISIBLE.search(plain) or not unicodedata.is_normalized("NFC", name):
        return False
    kinds = "".join("Z" if each == " " else unicodedata.category(each)[0] for each in plain)
    return not kinds.startswith("M") and "ZM" not in kinds and "M" * (_MAX_MARKS + 1) not in kinds


def _plain(name: str) -> str:
    """Return the name with a single character for each emoji."""
    return name if name.isascii() else _EMOJI.sub(_SEEN, name)
