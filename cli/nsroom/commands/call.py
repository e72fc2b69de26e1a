"""`nsroom call`: emit an event and print its acknowledgement."""

import sys
from dataclasses import replace
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.event_options import EmitOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import NackError, WaitError
from nsroom.output.stdio import put, say

if TYPE_CHECKING:
    from nsroom.client.events import Emit
    from nsroom.client.target import Target
    from nsroom.record import Record


@expand
def call(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's name.")],
    args: Annotated[list[str] | None, typer.Argument(metavar="[ARG]...", show_default=False)] = None,
    *,
    connection: ConnectionOptions,
    options: EmitOptions,
    json: Annotated[bool, typer.Option("--json", help="Print the record, even on a terminal.")] = False,
) -> None:
    """Emit an event and print the server's acknowledgement.

    In a pipe it prints the record of the acknowledgement; on a terminal only its arguments, as JSON. Exits
    with 7 if the answer is an error.

    \b
    Examples:
      nsroom call rooms
      nsroom call who room=lobby | jq '.args[0].members'
      nsroom call order id:=7 --timeout 30
    """
    from nsroom.cli.run import run

    target = replace(connection.target(), reconnect=False)
    record = run(_call(target, options.emit(event, args or [], target.namespaces[0]), options))
    put(_as_record(record) if json or not sys.stdout.isatty() else _as_text(record))
    _raise_if_refused(record)


async def _call(target: "Target", emit: "Emit", options: EmitOptions) -> "Record":
    import asyncio

    from nsroom.client.client import Client

    client = Client(target, note=say)
    try:
        await client.connect()
        await options.enter(client)
        (answer,) = await client.ask(emit)
        async with asyncio.timeout(options.timeout):
            return await answer
    except TimeoutError:
        cause = client.hint or "; does the server handle it?"
        raise WaitError(f"no acknowledgement of {emit.event!r} within {options.timeout:g} s{cause}") from None
    finally:
        await client.close()


def _as_record(record: "Record") -> bytes:
    from nsroom.output.ndjson import encode

    return encode(record)


def _as_text(record: "Record") -> bytes:
    """Return the arguments as indented ASCII JSON, which is safe for a terminal."""
    from nsroom.record import escape

    return "".join(f"{dumps(escape(arg), indent=2)}\n" for arg in record.args or []).encode()


def _raise_if_refused(record: "Record") -> None:
    from nsroom.protocol.refusals import refusal

    if refused := refusal(record.args):
        raise NackError(f"the server answered {refused}")
