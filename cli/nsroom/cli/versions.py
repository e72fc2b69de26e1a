"""The versions, platform and paths for a bug report."""

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from nsroom import __version__
from nsroom.cli.configuration import user_file
from nsroom.folders import state_folder

_EXTRA = re.compile(r"extra == ['\"](\w+)").search
_OPTIONAL = ("redis", "speed")
"""Extras for users."""


def report() -> str:
    """Return a line for each of nsroom, Python, the system, the libraries, the terminal and the paths."""
    return "".join(f"{name:<16} {value}\n" for name, value in _facts())


def _facts() -> Iterator[tuple[str, str]]:
    yield "nsroom", __version__
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()}), {sys.executable}"
    yield "system", platform.platform()
    for name in _libraries():
        yield name, _version(name)
    yield "terminal", f"{os.environ.get('TERM', 'none')}, {sys.getfilesystemencoding()}"
    yield "package", os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    yield "configuration", str(user_file())
    yield "state", str(state_folder())


def _libraries() -> list[str]:
    """Return the names of the libraries that nsroom depends on, the optional ones included."""
    lines = [
        line for line in requires("nsroom") or [] if not (extra := _EXTRA(line)) or extra[1] in _OPTIONAL
    ]
    return sorted({match[0] for line in lines if (match := re.match(r"[\w.-]+", line))})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
