"""The pictures of the README: well-formed, and drawn on a grid."""

import xml.etree.ElementTree as xml
from pathlib import Path

import pyte
import pytest

from docs.pictures.svg import CELL, EDGE, draw

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SPACE = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> xml.Element:
    screen = pyte.Screen(20, 3)
    pyte.Stream(screen).feed(text)
    return xml.fromstring(draw(screen, "a <title>"))


@pytest.mark.parametrize("name", ["events", "chat", "detail", "filter", "groups", "light"])
def test_every_picture_is_there_and_whole(name: str) -> None:
    picture = xml.parse(PICTURES / f"{name}.svg").getroot()
    assert picture.findtext(f"{SPACE}title")
    assert "nsroom" in "".join(picture.itertext())


def test_words_stand_in_their_cells() -> None:
    texts = list(drawn("ab  <c&d>\r\n  \x1b[1;31m漢x").iter(f"{SPACE}text"))
    places = [(text.text, round((float(text.get("x", 0)) - EDGE) / CELL)) for text in texts]
    assert places == [("ab", 0), ("<c&d>", 4), ("漢", 2), ("x", 4)]
    assert texts[-1].get("font-weight") == "bold"


def test_lines_are_shapes_so_that_they_join() -> None:
    assert not list(drawn("────│▌▅").iter(f"{SPACE}text"))
