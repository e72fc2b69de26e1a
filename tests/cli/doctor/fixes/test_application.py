"""Application fixes quote the names of namespaces and events."""

import ast
import json
import shlex
from collections.abc import Callable

import pytest

from nsroom.doctor.finding import Fixes
from nsroom.doctor.fixes import application
from nsroom.output.terminal import safe

HOSTILE = [
    'x"); process.exit(); ("',
    "x\x03\ntouch PWNED\n",
    "x\x1b[201~\rtouch PWNED\r",
    "\u202ex\u2028\U000e0041\x9b",
    "x\\",
    "x';touch PWNED;'",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "fix",
    [application.namespace, application.other_namespace, application.acknowledge, application.late_handlers],
)
def test_hostile_names_stay_strings(fix: Callable[[str], Fixes], name: str) -> None:
    for found, usual in zip(fix(name), fix("/usual"), strict=True):
        assert found.place == usual.place
        assert found.text.count("\n") == usual.text.count("\n")
        assert all(safe(line) == line for line in found.text.split("\n"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_command_names_the_hostile_namespace(name: str) -> None:
    command = application.other_namespace(name)[1].text
    _, _, word = shlex.split(command)
    assert (json.loads(word) if word.startswith('"') else word) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_python_reads_the_hostile_name(name: str) -> None:
    code = application.namespace(name)[1].text.partition("namespace=")[2].partition(")\nasync")[0]
    assert ast.literal_eval(code) == name


def test_credentials_of_socket_io_2_are_in_the_query() -> None:
    assert all("auth" not in fix.text for fix in application.query_credentials())
    assert any("auth: {" in fix.text for fix in application.credentials())
