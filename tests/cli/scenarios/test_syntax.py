"""Lines of scenarios: words, filters, times, names, comments, includes; and errors with line and column."""

from pathlib import Path

import pytest

from nsroom.scenarios.script import Line, ScriptError
from nsroom.scenarios.syntax import read


def lines(tmp_path: Path, text: str) -> list[Line]:
    file = tmp_path / "a.nsroom"
    file.write_text(text)
    return list(read(file))


def one(tmp_path: Path, text: str) -> Line:
    [line] = lines(tmp_path, text)
    return line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ann: call message room=lobby text='hi there'  # said", ["message", "room=lobby", "text=hi there"]),
        ('ann: emit x {"a": [1, "# no"]} # yes', ["x", '{"a": [1, "# no"]}']),
        ("ann:\tdisconnect", []),
        ("ann: emit x @/blob k=@/blob -t", ["x", "@/blob", "k=@/blob", "-t"]),
        ("ann: emit x as", ["x", "as"]),
    ],
)
def test_words(text: str, words: list[str], tmp_path: Path) -> None:
    assert one(tmp_path, text).texts == words


def test_files_are_relative_to_the_scenario(tmp_path: Path) -> None:
    line = one(tmp_path, "ann: connect -a token=@ann.txt -a @auth.json")
    assert line.texts == ["-a", f"token=@{tmp_path}/ann.txt", "-a", f"@{tmp_path}/auth.json"]


@pytest.mark.parametrize(
    ("text", "expression", "count", "seconds"),
    [
        ("ann: expect event=x & arg.0=1 within 1.5s", "event=x & arg.0=1", 1, 1.5),
        ("ann: expect 3 event=x  # three", "event=x", 3, None),
        ('ann: never arg.0="a # b" for 200ms # c', 'arg.0="a # b"', 1, 0.2),
        ("ann: expect within", "within", 1, None),
    ],
)
def test_expectations(text: str, expression: str, count: int, seconds: float | None, tmp_path: Path) -> None:
    line = one(tmp_path, text)
    assert (line.expression, line.count, line.seconds) == (expression, count, seconds)
    assert text[line.expression_start :].startswith(expression)


def test_names(tmp_path: Path) -> None:
    call, expect = lines(
        tmp_path, "ann: call m as id=arg.0.id all=arg\nann: expect event=m as n=arg.0.n within 1s # x\n"
    )
    assert (call.texts, call.names) == (["m"], {"id": "arg.0.id", "all": "arg"})
    assert (expect.expression, expect.names, expect.seconds) == ("event=m", {"n": "arg.0.n"}, 1)


def test_a_line_is_shown_without_its_comment(tmp_path: Path) -> None:
    shown = [each.text for each in lines(tmp_path, 'a: call x t="#1" # c\na: expect e=1 # c\n') if each]
    assert shown == ['a: call x t="#1"', "a: expect e=1"]


def test_an_included_file_has_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "_login.nsroom").write_text("\n# both\nann: connect\n")
    first, second = lines(tmp_path, "include _login.nsroom # first\nann: disconnect\n")
    assert (first.place, second.place) == (f"{tmp_path}/_login.nsroom:3", f"{tmp_path}/a.nsroom:2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ann connect", "a.nsroom:1:1: write it as CLIENT: VERB"),
        ("# c\n  1x: y", "a.nsroom:2:3: write it as CLIENT: VERB"),
        ('ann: emit x {"a":', "a.nsroom:1:13: a bracket is not closed"),
        ("ann: emit x 'y", "a.nsroom:1:13: no closing quotation"),
        ("ann: expect", "a.nsroom:1:6: expect needs a filter"),
        ("ann: never x for 3m", "a.nsroom:1:18: the time '3m': write it as 200ms or 1.5s"),
        ("ann: call x as id=nope.0", "a.nsroom:1:13: nope.0: unknown field"),
        ("include a.nsroom", "a.nsroom:1:9: too many files include each other"),
    ],
)
def test_errors_have_line_and_column(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as raised:
        lines(tmp_path, text)
    assert message in str(raised.value)
