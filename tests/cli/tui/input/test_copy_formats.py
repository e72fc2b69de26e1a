import ast
import json
import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nsroom.cli.shell_words import split
from nsroom.client.events import Emit, parse_arguments
from nsroom.client.lines import parse_line
from nsroom.client.target import namespace_of
from nsroom.output.terminal import safe
from nsroom.record import Json, Record, from_json
from nsroom.tui.input import copy_formats
from tests.cli.tui.records import ack, event, packet

ARGS: list[list[Json]] = [
    [],
    ["text"],
    ["5", 5, True, None],
    [{"a": [1, {"b": "it's"}]}],
    ["a b", "$HOME", "`x`", "-t", "@file", "key=value", 'quo"te', "new\nline", "ünï \u202e"],
    [{"$binary": "x"}],
]
records = pytest.mark.parametrize("record", [event("my event", *args, namespace="/chat") for args in ARGS])


@records
def test_json_reads_back_as_the_record(record: Record) -> None:
    assert from_json(json.loads(copy_formats.as_json(record))) == record


def test_the_command_is_plain_if_every_shell_reads_it_alike() -> None:
    record = event("it's", 5, True, None, {"a": "b c"}, "$HOME `x` ü", namespace="/chat")
    assert copy_formats.as_emit(record) == (
        """nsroom emit -n /chat 'it'"'"'s' 5 true null '{"a": "b c"}' '"$HOME `x` ü"'"""
    )


# Shells -----------------------------------------------------------------------------------------------

SHELLS = ["bash", "dash", *filter(shutil.which, ["zsh", "fish"])]
_STUB = r"""#!/bin/dash
printf '%s\0' "$@" >arguments
cat >stdin
"""
_HOSTILE = [
    *("\x03", "\n", "\r", "touch PWNED\n", "\x15", "\x1b[201~", "\x7f", "\x9b", "\x00", "\t"),
    *("'", '"', "\\", "\\'", "\\u0003", "\\c", "\\n", "$(touch PWNED)", "`touch PWNED`", "; touch PWNED;"),
    *("!!", "=ls", "~", "*", "-", "--", "-n", "@file", "a=b", "a:=1", "%self", "{a,b}", "#", "|", "&", " "),
    *("\u202e", "\u3164", "\ufe0f\ufe0f", "\ue000", "\ud800", "\u0301" * 20, "ü", "日本", "😀"),
]
_texts = st.lists(st.sampled_from(_HOSTILE) | st.text(max_size=3), max_size=5).map("".join)
_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | _texts | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_namespaces = _texts.map(lambda text: "/" + text.translate(dict.fromkeys([ord(","), ord("?"), 0xD800])))
_records = st.builds(
    lambda name, args, namespace: event(name, *args, namespace=namespace),
    _texts | st.integers(0, 9),
    st.lists(_values, max_size=3),
    _namespaces,
)
_with_a_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a `nsroom` that writes down its arguments and its stdin."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "nsroom"
    stub.write_text(_STUB)
    stub.chmod(0o700)
    return tmp_path


def _environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "xterm"}


def _prompt(terminal: int) -> bytes:
    """Return what a shell writes until it is silent, which is its prompt."""
    shown = b""
    while select.select([terminal], [], [], 0.3 if shown else 15)[0]:
        shown += os.read(terminal, 65536)
    return shown


def _emitted(folder: Path) -> Emit:
    """Return what `nsroom` would emit for the arguments and the stdin that the stub wrote down."""
    words = (folder / "arguments").read_bytes().decode().split("\0")[:-1]
    assert words.pop(0) == "emit"
    namespace = "/"
    if words[0] == "-n":
        namespace = namespace_of(words[1])
        words = words[2:]
    if words == ["-"]:
        found = parse_line((folder / "stdin").read_bytes(), namespace)
        assert isinstance(found, Emit)
        return found._replace(text=None)
    name, *args = words[words[0] == "--" :]
    return Emit(namespace, name, parse_arguments(args))


def _expected(record: Record) -> Emit:
    assert record.event is not None
    assert record.args is not None
    return Emit(record.namespace or "/", record.event, record.args)


@pytest.mark.parametrize("shell", SHELLS)
@_with_a_folder
@given(record=_records)
@example(record=event("hi", namespace="/\xa0"))
def test_a_pasted_command_emits_the_same_event_in_every_shell(
    shell: str, record: Record, folder: Path
) -> None:
    command = copy_formats.as_emit(record)
    result = subprocess.run(
        [shell, "-c", command],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert _emitted(folder) == _expected(record)
    assert not (folder / "PWNED").exists()


@pytest.mark.parametrize("brackets", [True, False], ids=["bracketed", "typed"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_paste_at_a_prompt_emits_the_event_and_runs_nothing_else(
    shell: str, brackets: bool, folder: Path
) -> None:
    text = "\x03\ntouch PWNED\n\x15\x1b[201~touch PWNED\n'!!\\"
    record = event(f"order {text}", text, {text: text}, namespace=f"/{text}")
    command = copy_formats.as_emit(record).encode()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        options = ["-f", "-i"] if shell == "zsh" else ["-i"]
        os.execvpe(shell, [shell, *options], _environment(folder))
    try:
        # A terminal brackets what is pasted if the shell asks for it.
        if b"\x1b[?2004h" in _prompt(terminal) and brackets:
            command = b"\x1b[200~%b\x1b[201~" % command
        os.write(terminal, command + b"\r")
        deadline = time.monotonic() + 15
        while not (folder / "stdin").exists() or not (folder / "stdin").read_bytes().endswith(b"\n"):
            assert time.monotonic() < deadline, os.read(terminal, 65536)
            time.sleep(0.02)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    assert _emitted(folder) == _expected(record)
    assert not (folder / "PWNED").exists()


@given(_records)
def test_every_copy_is_one_line_of_printable_text(record: Record) -> None:
    for copy in copy_formats.FORMATS.values():
        for each in (record, ack("e", *(record.args or [])), packet("close", reason=str(record.event))):
            text = copy(each)
            assert text == safe(text)


@given(_records)
def test_the_python_copy_has_the_same_values(record: Record) -> None:
    (call,) = ast.parse(copy_formats.as_python(record).removeprefix("await ")).body
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    name, data = map(ast.literal_eval, call.value.args)
    args = list(data) if isinstance(data, tuple) else [data]
    assert (name, args) == (record.event, record.args)


@pytest.mark.parametrize(
    ("format", "copy"),
    [
        ("emit", '[{"ok": true, "file": {"$binary": "aGk="}}, null]'),
        ("js", '[{"ok": true, "file": Buffer.from("aGk=", "base64")}, null]'),
        ("python", "[{'ok': True, 'file': b'hi'}, None]"),
    ],
)
def test_a_copied_acknowledgement_is_the_answer(format: str, copy: str) -> None:
    record = ack("join", {"ok": True, "file": b"hi"}, None)
    assert copy_formats.FORMATS[format](record) == copy


def test_a_copied_record_without_values_is_its_fields() -> None:
    record = packet("close", reason="ping timeout")
    assert json.loads(copy_formats.as_emit(record)) == json.loads(copy_formats.as_json(record))


# ------------------------------------------------------------------------------------------------------


@records
def test_the_input_line_emits_the_same_event(record: Record) -> None:
    line = copy_formats.as_typed(record)
    _, namespace, name, *args = split(line.removeprefix("/emit"))
    assert (namespace, name, parse_arguments(args)) == ("/chat", "my event", record.args)


def test_binary_is_copied_as_ndjson() -> None:
    record = event("chart", {"png": b"\x89PNG"}, namespace="/")
    emit = parse_line(copy_formats.as_typed(record).encode(), "/")
    assert emit is not None
    assert emit.args == record.args
    assert copy_formats.as_emit(record) == (
        """printf '%s\\n' '["chart", {"png": {"$binary": "iVBORw=="}}]' | nsroom emit -"""
    )


@pytest.mark.parametrize(
    ("args", "javascript", "python"),
    [
        ([], 'socket.emit("e");', "await sio.emit('e', ())"),
        ([1], 'socket.emit("e", 1);', "await sio.emit('e', 1)"),
        ([None], 'socket.emit("e", null);', "await sio.emit('e', (None,))"),
        (
            ["a", {"b": True}],
            'socket.emit("e", "a", {"b": true});',
            "await sio.emit('e', ('a', {'b': True}))",
        ),
        (
            [{"__proto__": 1}],
            'socket.emit("e", {["__proto__"]: 1});',
            "await sio.emit('e', {'__proto__': 1})",
        ),
        ([b"hi"], 'socket.emit("e", Buffer.from("aGk=", "base64"));', "await sio.emit('e', b'hi')"),
    ],
)
def test_code(args: list[Json], javascript: str, python: str) -> None:
    record = event("e", *args, namespace="/")
    assert (copy_formats.as_javascript(record), copy_formats.as_python(record)) == (javascript, python)


def test_code_names_the_namespace() -> None:
    assert copy_formats.as_python(event("e", 1)) == "await sio.emit('e', 1, namespace='/chat')"


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        ("text ünï", "text ünï"),
        ("two\nlines", r'"two\nlines"'),
        ("\x03\u202e", r'"\u0003\u202e"'),
        (12.5, "12.5"),
        (None, "null"),
        ({"a": [b"hi"]}, '{"a": [{"$binary": "aGk="}]}'),
        (b"hi", "aGk="),
    ],
)
def test_one_value(value: Json, copied: str) -> None:
    assert copy_formats.as_value(value) == copied
