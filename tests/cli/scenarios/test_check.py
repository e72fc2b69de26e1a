"""A whole scenario is checked before anything is sent."""

from pathlib import Path

import pytest

from nsroom.errors import UsageError
from nsroom.scenarios.check import find_files, load, name_of
from nsroom.scenarios.script import Script


def script(tmp_path: Path, text: str, **values: str) -> Script:
    file = tmp_path / "a.nsroom"
    file.write_text(text)
    return load(file, "a", values)


def test_a_scenario(tmp_path: Path) -> None:
    text = """
        server: node app.js {port}
        ann: connect /chat -a user={user}
        ann: join lobby --join-args {"r":"{room}"}
        ann: call message id:={n} as id=arg.0.id
        ann: expect event=message & arg.0.id={id} as m=arg.0.n
        ann: emit seen {m}
        ann: call x
        ann: expect refused "no"
        ann: wait 5ms
        server: kill
        server: start
        ann: disconnect
        ann: connect /secret
        ann: expect refused
        ann: connect /chat
    """
    made = script(tmp_path, text, user="ann", n="5")
    assert (made.refusals, made.used) == ({6, 12}, {"user", "n", "id", "m", "port", "room"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ann: join lobby", "1:1: unknown client 'ann': connect it first, ann: connect"),
        ("anne: connect\nann: join lobby", "2:1: unknown client 'ann'; did you mean anne?"),
        ("ann: join lobby\nann: connect", "1:1: ann connects only in line 2"),
        ("ann: connect\nann: connect", "2:1: ann is connected since line 1"),
        ("ann: connect\nann: disconnect\nann: emit x", "3:1: unreachable: ann is disconnected since line 2"),
        (
            "ann: connect\nann: expect refused\nann: emit x",
            "3:1: unreachable: line 2 expects that ann is refused",
        ),
        ("ann: connect\nann: exepct x", "2:6: unknown verb 'exepct'; did you mean expect?"),
        ("ann: connect\nann: call x as id=arg.0", "2:13: {id} is never used"),
        ("ann: connect\nann: emit x {id}", "2:13: unknown name {id}: define it by `as id=…` or --set id=…"),
        (
            "ann: connect\nann: emit x a={id}\nann: call x as id=arg.0",
            "2:15: {id} is defined only in line 3",
        ),
        ("ann: connect\nann: call x as set=arg.0", "2:13: set is defined already"),
        ("ann: connect\nann: expect event~ within 1s", '2:19: expected a value after "~"'),
        ("ann: connect\nann: expect foo=1", '2:13: unknown field "foo"'),
        ("ann: connect\nann: never x", "2:6: never needs a time"),
        ("ann: connect --bogus", "1:14: unknown option --bogus"),
        ("ann: connect -a -", "1:14: --auth - is for one client"),
        ("ann: connect -a @nope", "1:14: --auth: cannot read the file after @"),
        ("ann: connect\nann: emit", "2:6: emit needs an EVENT"),
        ("ann: connect\nann: reply x @nope", "2:12: cannot read the file after @"),
        ("ann: connect\nann: call x --fail =", "2:11: --where: column 1"),
        ("ann: connect\nann: wait soon", "2:6: write it as wait 200ms"),
        ("ann: connect\nann: disconnect now", "2:17: disconnect takes no arguments"),
        (
            "ann: connect\nann: emit x\nann: expect refused",
            "3:6: expect refused follows a connect, join, call",
        ),
        ("ann: connect\nann: expect refused a b", "2:23: unexpected word"),
        ("server: stop", "1:9: first the command of the server"),
        ("server: a\nserver: b", "2:9: a scenario has one server"),
        ("server: a\nserver: start", "2:9: the server runs here"),
        ("server: a\nserver: stop\nserver: kill", "3:9: the server does not run here"),
        ("", "it has no lines"),
    ],
)
def test_errors(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        script(tmp_path, text, set="x")
    assert f"a.nsroom:{message}" in str(raised.value).replace("a.nsroom: ", "a.nsroom:")


def test_files_and_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.nsroom", "_part.nsroom", "deep/a.nsroom", "other.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert [name_of(file) for file in find_files([])] == ["b", "deep/a"]
    assert [name_of(file) for file in find_files(["deep", "b.nsroom", "deep/a.nsroom"])] == ["deep/a", "b"]
    assert name_of(tmp_path.parent / "x.nsroom") == "x"
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no scenarios"):
        find_files(["empty"])
    with pytest.raises(UsageError, match=r"cannot read nope\.nsroom"):
        load(Path("nope.nsroom"), "nope", {})
