"""Fuzz one target until it fails: `python -m tests.fuzz.harness MODULE TARGET [option | folder]…`.

The module's `check` takes the target and an input; the options are libFuzzer's.
"""

import importlib
import resource
import sys

import atheris

with atheris.instrument_imports(include=["nsroom", "nsroom_server", "tests.fuzz.planted"]):
    check = importlib.import_module(sys.argv.pop(1)).check

MEMORY = 512 << 20
"""Bytes; an input that takes more fails with a MemoryError."""


def main() -> None:
    """Run libFuzzer, which ends the process."""
    target = sys.argv.pop(1)
    # Not by libFuzzer's own limit: it reads the peak of memory, which Linux hands on from the process that
    # started this one.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    sys.argv.append("-rss_limit_mb=0")
    # Not "RegEx": the patterns of that hook do not accept a position to start at.
    atheris.enabled_hooks.add("str")
    atheris.Setup(sys.argv, lambda data: check(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
