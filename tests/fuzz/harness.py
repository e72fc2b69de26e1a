"""Fuzz one target until it fails: `python -m tests.fuzz.harness MODULE TARGET [option | folder]…`.

The module's `check` takes the target and an input; the options are libFuzzer's.
"""

import importlib
import sys

import atheris

with atheris.instrument_imports(include=["nsroom", "nsroom_server", "tests.fuzz.planted"]):
    check = importlib.import_module(sys.argv.pop(1)).check


def main() -> None:
    """Run libFuzzer, which ends the process."""
    target = sys.argv.pop(1)
    atheris.enabled_hooks.add("RegEx")
    atheris.enabled_hooks.add("str")
    atheris.Setup(sys.argv, lambda data: check(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
