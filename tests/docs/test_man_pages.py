"""The man pages are those of the current help, and roff reads them as text."""

import re

import pytest

from docs.man_pages import FOLDER, pages
from nsroom.commands import COMMANDS

REQUESTS = {"TH", "SH", "PP", "TP", "nf", "fi"}
PAGES = pages()


def test_the_pages_are_those_of_the_help() -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.1")}
    assert written == PAGES, "run: python -m tests.test_docs"
    assert set(PAGES) == {"nsroom.1", *(f"nsroom-{name}.1" for name in COMMANDS)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_only_known_requests_and_escapes(name: str) -> None:
    text = PAGES[name]
    assert {line[1:].split()[0] for line in text.splitlines() if line.startswith((".", "'"))} <= REQUESTS
    assert set(re.findall(r"\\(\(..|f.|.)", text)) <= {
        "(rs",
        "(ha",
        "(ti",
        "(ga",
        "(aq",
        "fB",
        "fR",
        "-",
        "&",
    }
    sections = re.findall(r"^\.SH (.*)", text, re.M)
    assert sections[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert sections[-3:] == ["EXIT STATUS", "ENVIRONMENT", "SEE ALSO"]
