"""`nsroom help`: the help of a command, and the format of records."""

from typing import Annotated

import typer

from nsroom.errors import UsageError

_RECORD = "record"


def help(
    topic: Annotated[
        str | None, typer.Argument(metavar="[COMMAND]", help="A command, or `record`.", show_default=False)
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="With `record`: print the JSON Schema of records.")
    ] = False,
) -> None:
    """Show the help of a command.

    `nsroom help record` lists the keys of the records that nsroom prints and reads.

    \b
    Examples:
      nsroom help
      nsroom help emit
      nsroom help record
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
        raise _unknown(topic)
    app = build({"": [topic]} if topic else GROUPS)
    app([*([topic] if topic else []), "--help"], prog_name="nsroom", standalone_mode=False)


def _show_record(as_json: bool) -> None:
    from importlib.resources import files
    from json import loads

    from nsroom.output.stdio import put

    schema = files("nsroom").joinpath("record.schema.json").read_bytes()
    if as_json:
        put(schema)
        return
    for key, value in loads(schema)["properties"].items():
        text = value.get("description") or ", ".join(value["enum"])
        put(f"{key:<11}{text}\n".encode())


def _unknown(topic: str) -> UsageError:
    from nsroom.cli.first_word import meant_command
    from nsroom.commands import COMMANDS

    meant = meant_command(topic, COMMANDS)
    line = f"nsroom help {meant}" if meant else "nsroom help"
    return UsageError(f"unknown command {topic!r:.80}{f': use `{meant}`' if meant else ''}", line)
