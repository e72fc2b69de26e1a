"""`nsroom servers`: list the servers of the configuration."""

from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli import configuration
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.errors import ExitCode, NsroomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nsroom.client.target import Target
    from nsroom.output.tables import Row, Rows


def servers(
    check: Annotated[
        bool, typer.Option("--check", help="Connect to each, and exit with 1 if one cannot be reached.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per server.")] = False,
) -> None:
    """List the servers of the configuration.

    A project's .nsroom.toml is read from the current folder or the nearest one above it, and config.toml from
    your configuration folder (see `nsroom -V -v`). Secrets are not printed: only the names of the options
    that a server has.

    \b
    Examples:
      nsroom servers
      nsroom servers --check
      nsroom servers --json | jq -r .server
    """
    from nsroom.output.tables import show

    configured = configuration.load()
    targets = {name: _target(name) for name in sorted(configured.servers)}
    rows = [_row(configured, name, target) for name, target in targets.items()]
    if check and rows:
        from nsroom.cli.run import run

        run(_check(rows, targets.values()))
    columns = ("server", "url", "namespaces", *(["state"] if check else []), "options")
    empty = f"no servers: add [servers.NAME] with a url to {configuration.user_file()}"
    show(rows, columns, lambda row: _cells(row, columns), json, empty)
    if any(row.get("state", "ok") != "ok" for row in rows):
        raise typer.Exit(ExitCode.NO)


def _row(configured: configuration.Configuration, name: str, target: "Target") -> "Row":
    return {
        "server": name,
        "url": target.place,
        "namespaces": list(target.namespaces),
        "options": sorted(configured.options(name).keys() - {"url", "namespace"}),
        "file": str(configured.origins[name]),
    }


def _target(name: str) -> "Target":
    return ConnectionOptions(url=name, no_reconnect=True, given=frozenset(["no_reconnect"])).target()


def _cells(row: "Row", columns: tuple[str, ...]) -> tuple[*tuple[str, ...], "Sequence[str]"]:
    texts = ["  ".join(value) if isinstance(value, list) else str(value) for value in map(row.get, columns)]
    return (*texts[:-1], row[columns[-1]])


async def _check(rows: "Rows", targets: "Iterable[Target]") -> None:
    """Add the state of each server to its row: `ok`, or why it cannot be reached."""
    import asyncio

    states = await asyncio.gather(*map(_state, targets))
    for row, state in zip(rows, states, strict=True):
        row["state"] = state


async def _state(target: "Target") -> str:
    from nsroom.client.client import Client

    client = Client(target, say=lambda _text: None)
    try:
        await client.connect()
    except NsroomError as error:
        return str(error)
    finally:
        await client.close()
    return "ok"
