"""Lazy modules and patterns do not show that they are. Each test of a module has its own interpreter."""

import os
import re
import subprocess
import sys

import pytest

from nsroom.lazy import compile_lazily


def run(script: str) -> str:
    # Measuring coverage loads modules of its own.
    env = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env
    )
    return process.stdout.strip()


LAZY = "import sys; from nsroom.lazy import import_lazily; import_lazily('ipaddress'); import ipaddress; "
IS_LOADED = "print('IPv4Address' in vars(ipaddress))"


@pytest.mark.parametrize(
    ("code", "is_loaded"),
    [
        ("", False),
        ("import ipaddress; ipaddress.__spec__; ipaddress.__file__; ", False),
        ("import urllib.parse; urllib.parse.urlsplit('http://127.0.0.1/'); ", False),
        ("import_lazily('ipaddress'); ", False),
        ("ipaddress.ip_address; ", True),
        ("from ipaddress import ip_address; ", True),
        ("hasattr(ipaddress, 'nothing'); ", True),
        ("import urllib.parse; urllib.parse.urlsplit('http://[::1]/'); ", True),
        ("ipaddress.ip_address; import_lazily('ipaddress'); ", True),
    ],
)
def test_it_is_loaded_when_one_of_its_names_is_used(code: str, is_loaded: bool) -> None:
    assert run(LAZY + code + IS_LOADED) == str(is_loaded)


def test_it_is_the_module_that_an_import_gives() -> None:
    code = "print(ipaddress.ip_address('::1'), sys.modules['ipaddress'] is ipaddress, dir(ipaddress))"
    shown = run(LAZY + code)
    assert shown.startswith("::1 True ")
    assert "__getattr__" not in shown


def test_what_it_does_not_have_is_missing() -> None:
    code = """
for name in ("one", "two"):
    try:
        getattr(ipaddress, name)
    except AttributeError as error:
        print(error)
"""
    assert run(LAZY + code).splitlines() == [
        f"module 'ipaddress' has no attribute '{name}'" for name in ("one", "two")
    ]


def test_a_loaded_module_stays_as_it_is() -> None:
    code = "import json; json.mark = 1; from nsroom.lazy import import_lazily; import_lazily('json'); "
    assert run(code + "print(json.mark)") == "1"


def test_threads_see_it_whole() -> None:
    code = """
from threading import Barrier, Thread
barrier, found = Barrier(20), []
def use():
    barrier.wait()
    found.append(ipaddress.v4_int_to_packed)  # one of the last names of the module
threads = [Thread(target=use) for _ in range(20)]
sys.setswitchinterval(1e-6)
for each in threads: each.start()
for each in threads: each.join()
print(len(found))
"""
    assert run(LAZY + code) == "20"


def test_a_pattern_is_compiled_once_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    compile = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given) or compile(*given))
    pattern = compile_lazily("a+b", re.IGNORECASE)
    assert compiled == []
    assert [bool(pattern.fullmatch(text)) for text in ("aab", "AAB", "aabb")] == [True, True, False]
    assert compiled == [("a+b", re.IGNORECASE)]
    assert pattern.pattern == "a+b"
    assert pattern.sub("c", "xABy") == "xcy"


def test_a_pattern_may_be_of_bytes() -> None:
    found = compile_lazily(rb"(\d+)").search(b"a12")
    assert found is not None
    assert found[1] == b"12"


def test_what_a_pattern_does_not_have_is_missing() -> None:
    assert not hasattr(compile_lazily("a"), "nothing")


def test_a_wrong_pattern_is_found_when_it_is_used() -> None:
    with pytest.raises(re.error):
        compile_lazily("(").match("")
