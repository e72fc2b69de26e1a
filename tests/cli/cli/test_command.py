"""The words of a command as it takes them: its target first, options anywhere."""

import json

import pytest

from nsroom.main import run


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("emit /chat message hi", '42/chat,["message","hi"]'),
        ("emit :3001/chat message", '42/chat,["message"]'),
        ("emit http://localhost:3001 message", '42["message"]'),
        ("emit / message", '42["message"]'),
        ("emit chat message hi", '42["chat","message","hi"]'),
        ("emit -- /chat message", '42["/chat","message"]'),
        ("emit /chat -- /chat /x", '42/chat,["/chat","/x"]'),
        ("emit -t /chat m 1", '42/chat,["m","1"]'),
        ("emit temp -5 -n /x -1.5", '42/x,["temp",-5,-1.5]'),
        ("emit -n /x temp", '42/x,["temp"]'),
        ("emit -qv temp -- -q", '42["temp","-q"]'),
    ],
)
def test_the_target_comes_first(line: str, frame: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    words = line.split()
    assert run([words[0], "--offline", *words[1:]]) == 0
    shown = capsysbinary.readouterr().out.decode()
    head, expected = shown.index("["), frame.index("[")
    assert shown[:head] == frame[:expected]
    assert json.loads(shown[head:]) == json.loads(frame[expected:])


@pytest.mark.parametrize("line", ["emit x --help", "emit --nothing -h"])
def test_help_needs_no_arguments(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(line.split())
    assert code == (2 if "nothing" in line else 0)
    assert ("Usage: nsroom emit" in capsys.readouterr().out) == (code == 0)
