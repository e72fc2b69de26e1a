"""`nsroom help`: the help of a command, or of a topic."""

from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.errors import UsageError
from nsroom.output.stdio import put

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_RECORD = "record"


def help(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="[COMMAND|TOPIC]", help="A command or a topic.", show_default=False),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="With `record`: print the JSON Schema of records.")
    ] = False,
) -> None:
    """Show the help of a command or of a topic.

    The topics: record (the keys of records), filters, exit-codes, environment, configuration, keys (of the
    live view), namespaces and recipes.

    \b
    Examples:
      nsroom help
      nsroom help emit
      nsroom help filters
      nsroom help record --json > record.schema.json
    """
    from nsroom.cli.app import build
    from nsroom.commands import COMMANDS, GROUPS

    if topic == _RECORD:
        _show_record(json)
        return
    if json:
        raise UsageError("--json needs `record`", "nsroom help record --json")
    if topic is not None and topic not in COMMANDS:
        text = _topics().get(topic)
        if text is None:
            raise _unknown(topic)
        put(text.read_bytes())
        return
    app = build({"": [topic]} if topic else GROUPS)
    app([*([topic] if topic else []), "--help"], prog_name="nsroom", standalone_mode=False)


def _show_record(as_json: bool) -> None:
    from importlib.resources import files
    from json import loads

    schema = files("nsroom").joinpath("record.schema.json").read_bytes()
    if as_json:
        put(schema)
        return
    for key, value in loads(schema)["properties"].items():
        text = value.get("description") or ", ".join(value["enum"])
        put(f"{key:<11}{text}\n".encode())


def _topics() -> "dict[str, Traversable]":
    """Return the files of the topics by name."""
    from importlib.resources import files

    found = files("nsroom").joinpath("topics").iterdir()
    return {each.name.removesuffix(".txt"): each for each in found if each.name.endswith(".txt")}


def _unknown(topic: str) -> UsageError:
    from nsroom.cli.first_word import meant_command
    from nsroom.commands import COMMANDS

    meant = meant_command(topic, (*COMMANDS, *_topics()))
    line = f"nsroom help {meant}" if meant else "nsroom help"
    return UsageError(f"unknown topic {topic!r:.80}{f': use `{meant}`' if meant else ''}", line)
