"""The machine and the versions that a table was measured with."""

import importlib.metadata
import os
import platform
import re
import sqlite3
import sys
from pathlib import Path

import nsroom


def machine(**versions: str) -> dict[str, str | int | None]:
    """Return the machine and the versions, with further ones that a benchmark names."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    return {
        "processor": found[1] if found else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "uvloop": _version("uvloop"),
        "nsroom": nsroom.__version__,
        **versions,
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def print_machine(**versions: str) -> None:
    """Print what `machine` returns, on one line."""
    sys.stdout.write(", ".join(f"{name} {value}" for name, value in machine(**versions).items()) + "\n")
    sys.stdout.flush()
