"""A line, and where an error in it is."""

from pathlib import Path

from nsroom.cli.shell_words import Word
from nsroom.scenarios.script import Line, ScriptError


def test_a_line_and_its_errors() -> None:
    line = Line(Path("t/a.nsroom"), 3, "ann", "emit", (Word("x", 10), Word("1", 12)))
    assert (line.place, line.texts) == ("t/a.nsroom:3", ["x", "1"])
    assert str(ScriptError(line, 12, "invalid")) == "t/a.nsroom:3:13: invalid"
    assert str(ScriptError((line.file, 4), 0, "invalid")) == "t/a.nsroom:4:1: invalid"
