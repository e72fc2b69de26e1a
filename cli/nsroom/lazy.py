"""Load modules and compile regular expressions when they are used: most starts need few of them."""

import re
import sys
from importlib.util import find_spec, module_from_spec
from threading import RLock
from typing import Any, AnyStr, cast


def import_lazily(name: str) -> None:
    """Let `import name` anywhere give a module that is loaded as soon as one of its names is looked up.

    As `lazy import` does in Python 3.15. Not importlib's LazyLoader: up to Python 3.13, the second `import`
    of such a module loads it.
    """
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    loader, lock = spec.loader, RLock()
    module = module_from_spec(spec)
    is_loading = False

    def load(attribute: str) -> Any:
        nonlocal is_loading
        with lock:  # another thread must not see half of the module
            if not is_loading:
                is_loading = True
                loader.exec_module(module)
                del module.__getattr__
        try:
            return vars(module)[attribute]
        except KeyError:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}") from None

    module.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[name] = module


def compile_lazily(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return a regular expression that is compiled at its first use, in a tenth to one millisecond."""
    return cast(re.Pattern[AnyStr], _LazyPattern(pattern, flags))


class _LazyPattern:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(*self._given), name)
        setattr(self, name, value)  # found without this method from now on
        return value
