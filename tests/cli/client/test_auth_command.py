"""The command of --auth-command: its output is the payload, and its failures have one line."""

import shlex
import sys

import pytest

from nsroom.client.auth_command import MAX_OUTPUT, payload
from nsroom.client.target import AuthCommand
from nsroom.errors import ConnectError


def python(code: str) -> AuthCommand:
    return AuthCommand(shlex.join([sys.executable, "-c", code]))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print('token=a b')", {"token": "a b"}),
        ("print('{\"token\": 5}')", {"token": 5}),
        ("print('n:=1')", {"n": 1}),
        ("", None),
    ],
)
async def test_the_output_is_the_payload(code: str, expected: object) -> None:
    assert await payload(python(code), 10) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('hunter2')", "printed neither a JSON object nor key=value"),
        (r"import sys; sys.stdout.buffer.write(b'\xff')", "printed neither a JSON object nor key=value"),
        ("print('{' * 2_000_000)", f"printed more than {MAX_OUTPUT} bytes"),
        (r"import sys; sys.exit('first\nno such secret')", "failed with code 1: no such secret"),
        ("raise SystemExit(3)", "failed with code 3"),
    ],
)
async def test_a_failure_has_one_line_without_the_output(code: str, message: str) -> None:
    with pytest.raises(ConnectError, match=message) as raised:
        await payload(python(code), 10)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_it_must_exist_and_end() -> None:
    with pytest.raises(ConnectError, match="cannot run /dev/null/x: Not a directory"):
        await payload(AuthCommand("/dev/null/x"), 10)
    with pytest.raises(ConnectError, match=r"did not end within 0\.2 s"):
        await payload(python("import time; time.sleep(60)"), 0.2)
