"""A mistake on a command line is explained, with the line that was meant."""

import shlex

import pytest

from nsroom.cli.mistakes import join
from nsroom.main import run


def mistake(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run a line that is a mistake; return the message, and the corrected line if there is one."""
    assert run(shlex.split(line)) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    return [each.removeprefix("nsroom: ").strip() for each in stderr.splitlines()]


@pytest.mark.parametrize(
    ("line", "text", "meant"),
    [
        ("emit", "emit needs an EVENT, for example:", """nsroom emit hello '{"from":"the shell"}'"""),
        ("join", "join needs a ROOM, for example:", "nsroom join lobby"),
        ("join :3001/chat", "join needs a ROOM, for example:", "nsroom join :3001/chat lobby"),
        ("replay", "replay needs a FILE, for example:", None),
        ("proxy", "proxy needs a TARGET, for example:", "nsroom proxy :3000"),
        ("connect chat", "'chat' is neither", "nsroom connect /chat"),
        ("connect :3001 chat -v", "'chat' is neither", "nsroom connect :3001/chat -v"),
        ("connect help", "for help", "nsroom help connect"),
        ("replay run.ndjson --view", "to view a recording use `show`", "nsroom show run.ndjson"),
        ("connect run.ndjson", "run.ndjson is a file", "nsroom show run.ndjson"),
        ("emit :3001 /chat hi", "name the server and the namespace in one word", "nsroom emit :3001/chat hi"),
        ("emit /a :3001 hi", "name the server and the namespace in one word", "nsroom emit :3001/a hi"),
        ("emit /a /b hi", "two targets, /a and /b", "nsroom emit /a hi"),
        ("emit localhost:3000 hi", "localhost:3000 would be EVENT", "nsroom emit hi -u localhost:3000"),
        ("join lobby /chat", "the target /chat comes before ROOM", "nsroom join /chat lobby"),
        ("rooms lobby /chat", "the target /chat comes before ROOM", "nsroom rooms /chat lobby"),
        ("doctor :3001 /chat", "one target", "nsroom doctor :3001/chat"),
        ("demo :3001", "demo starts a server of its own", "nsroom connect :3001"),
        ("demo x", "unexpected argument 'x'", "nsroom demo"),
        ("rooms a b", "unexpected argument 'b'", "nsroom rooms a"),
        ("connect --token x", "unknown option --token: use -a token=x", "nsroom connect -a token=x"),
        ("connect --token=x", "unknown option --token: use -a token=x", "nsroom connect -a token=x"),
        ("connect --no-color", "unknown option --no-color", "nsroom connect --color never"),
        ("connect -c http://h", "unknown option -c: use -u http://h", "nsroom connect -u http://h"),
        ("connect --reconect", "unknown option --reconect: did you mean --no-reconnect?", None),
        ("emit x --transprt=polling", "unknown option --transprt", "nsroom emit x --transport=polling"),
        ("emit x --nonsense", "unknown option --nonsense", "nsroom emit -- x --nonsense"),
        ("emit :1 x -hello -t", "unknown option -hello", "nsroom emit :1 -t -- x -hello"),
        ("rooms --nonsense", "unknown option --nonsense (see `nsroom rooms --help`)", ""),
        ("connect -W", "-W needs a value: -W SECONDS", ""),
        ("connect -C 0", "-C '0': must be a whole number, at least 1", ""),
        ("connect -C x", "-C 'x': must be a whole number, at least 1", ""),
        ("emit x --timeout=soon", "--timeout 'soon': must be a number of seconds, at least 0.01", ""),
        ("bench --workers 999", "--workers '999': must be a whole number from 1 to 256", ""),
        ("connect --transport pigeon", "--transport 'pigeon': choose auto, websocket or polling", ""),
        ("serve --log-format xml", "--log-format 'xml': choose text or json", ""),
    ],
)
def test_a_mistake(line: str, text: str, meant: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    message, *rest = mistake(line, capsys)
    assert message.startswith(text)
    assert meant is None or rest == ([meant] if meant else [])


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (":3001", "/chat", ":3001/chat"),
        ("/chat", "http://h:1/", "http://h:1/chat"),
        ("https://h", "/a/b", "https://h/a/b"),
        ("localhost:1", "/a", "localhost:1/a"),
        ("http://h/x", "/chat", None),
        (":1/x", "/chat", None),
        (":1?a=b", "/chat", None),
        ("/a", "/b", None),
        (":1", ":2", None),
    ],
)
def test_a_server_and_a_namespace_are_one_target(one: str, other: str, joined: str | None) -> None:
    assert join(one, other) == joined


@pytest.mark.parametrize(
    "line",
    ["emit -- /chat hi", "emit -- localhost:1 hi", "emit a /b :1", "emit /chat -- /x", "emit a.b"],
)
def test_what_is_no_mistake(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split()
    assert run([words[0], "--offline", *words[1:]]) == 0
    assert capsys.readouterr().err == ""
