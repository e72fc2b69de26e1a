"""Hostile text from a server must not reach the terminal."""

import re
from collections.abc import Iterator

from nsroom.tui.background import QUESTION
from tests.cli.tui.conftest import Show
from tests.peers import bad

# The sequences that prompt-toolkit and we write, without that for the clipboard, which needs a key.
_OURS = re.compile(
    r"\x1b\[\?(1049|1|7|12|25|1000|1002|1015|1006|2004)[hl]"
    r"|\x1b\[[\d;]*m|\x1b\[[\d;]*[ABCDHJK]|\x1b\[\d* q|\x1b\[2J|\x1b\[6n|\r|\n|\x08|\x1b\[1?C"
    rf"|{re.escape(QUESTION)}"
    r"|\x1b\[2[23];2t|\x1b\]2;nsroom[^\x00-\x1f\x7f-\x9f]*\x07"
)
EVIL = "\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u200b\u2066\x01\x02\r\n\x1bPq\x1b\\"


def foreign(written: str) -> list[str]:
    """Return the characters that are neither printable nor part of our sequences."""
    rest = _OURS.sub("", written)
    return [character for character in rest if not character.isprintable()]


def quoted(text: str) -> str:
    """Return a text as in JSON, with all characters escaped."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


def frames() -> Iterator[str]:
    """Yield frames with hostile text in every field that the view shows."""
    evil = quoted(EVIL)
    yield f'42["{evil}",{{"{evil}":["{evil}"]}}]'
    yield f'42["message",{{"room":"{evil}","nick":"{evil}","from":"{evil}","text":"{evil}"}}]'
    yield f'42["join-room",{{"room":"{evil}","sid":"{evil}","nick":"{evil}","members":3}}]'
    yield f'427["ask","{evil}"]'
    yield f'42/{EVIL},["{evil}"]'
    yield f'44/{EVIL},{{"message":"{evil}","data":{{"{evil}":1}}}}'
    yield f"4{EVIL}"
    yield f"9{EVIL}"


async def test_only_our_sequences_reach_the_terminal(show: Show) -> None:
    async with bad.sends(*frames()) as url:
        terminal = await show("connect", "-u", url, rows=40, cols=120)
        await terminal.until("malformed")
        terminal.press("Home", "Enter", "Tab", "Down", "Enter", "Escape")
        for _ in range(12):
            terminal.press("Down", "Tab", "Enter", "Down", "Enter", "Escape")
        terminal.press("/", "title", "Enter", "\x1b", "F2", "F2", "F1", "x", "i", "/join ", "\t", "\t", "\r")
        await terminal.until("›")
        terminal.press("\x15", "/emit ", "\t", "\x15", "/where event=", "\t", "\x15")
        terminal.press(f"\x1b[200~{EVIL.replace(chr(27), '')}\x1b[201~")
        await terminal.until("u202e")
        terminal.resize(10, 40)
        await terminal.until("›")
        terminal.resize(50, 160)
        await terminal.until("NAMESPACES")
        terminal.press("\x11")
        await terminal.program.end()
    assert foreign(terminal.program.stdout.text) == []


async def test_a_hostile_refusal_at_the_start(show: Show) -> None:
    async with bad.refuses({"message": EVIL, EVIL: EVIL}) as url:
        terminal = await show("connect", "-u", url)
        await terminal.until("try again")
        terminal.press("q")
        assert await terminal.program.end() == 4
    assert foreign(terminal.program.stdout.text) == []


def test_the_list_of_our_sequences_is_strict() -> None:
    assert foreign("\x1b]0;x\x07") == ["\x1b", "\x07"]
    assert foreign("\x1b[31mred\x1b[0m\u202e") == ["\u202e"]
