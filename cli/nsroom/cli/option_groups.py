"""Let a command receive its options as dataclasses."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])


def expand(command: F) -> F:
    """Show typer the fields of each dataclass argument as options, and pass the command the dataclass."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[parameter.name] = kind
            parameters += _parameters(kind)
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=kind, kind=keyword))

    @wraps(command)
    def expanded(**given: Any) -> Any:
        made = {name: kind(**{key: given.pop(key) for key in _names(kind)}) for name, kind in groups.items()}
        return command(**given, **made)

    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return expanded  # type: ignore[return-value]


def _names(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind)]


def _parameters(kind: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default if each.default is not MISSING else inspect.Parameter.empty,
            annotation=hints[each.name],
        )
        for each in fields(kind)
    ]
