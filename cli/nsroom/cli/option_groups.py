"""Show typer the options of a command: those in its groups, and those that `declarations` declares."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from nsroom.cli.declarations import Argument, Option, Options, is_group

F = TypeVar("F", bound=Callable[..., Any])


def expand(command: F) -> F:
    """Show typer the options of each group of the command, and pass the command the groups."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Options]] = {}
    hints = _hints(command)
    context = inspect.Parameter("_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_group(kind):
            groups[parameter.name] = kind
            parameters += _parameters(kind)
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=kind, kind=keyword))

    @wraps(command)
    def expanded(_context: typer.Context, **given: Any) -> Any:
        made = {}
        for name, kind in groups.items():
            values = {key: given.pop(key) for key in kind.options()}
            if "given" in kind.defaults:
                values["given"] = frozenset(key for key in values if _is_given(_context, key))
            made[name] = kind(**values)
        return command(**given, **made)

    expanded.__signature__ = inspect.Signature([*parameters, context])  # type: ignore[attr-defined]
    return expanded  # type: ignore[return-value]


def _is_given(context: typer.Context, name: str) -> bool:
    """Return whether the command line has this option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _hints(declared: Any) -> dict[str, Any]:
    """Return the annotations of a function or class, with typer's declarations in place of ours."""
    hints = get_type_hints(declared, include_extras=True)
    return {name: _for_typer(hint) for name, hint in hints.items()}


def _for_typer(hint: Any) -> Any:
    match getattr(hint, "__metadata__", ()):
        case (Option() as option,):
            return Annotated[hint.__origin__, typer.Option(*option.names, **option.settings)]
        case (Argument() as argument,):
            return Annotated[hint.__origin__, typer.Argument(**argument.settings)]
    return hint


def _parameters(kind: type[Options]) -> list[inspect.Parameter]:
    hints = _hints(kind)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, keyword, default=kind.defaults[name], annotation=hints[name])
        for name in kind.options()
    ]
