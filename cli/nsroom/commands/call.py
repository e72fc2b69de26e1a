"""`nsroom call`: emit with an acknowledgement and print it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.errors import NackError, WaitError
from nsroom.options import ConnectionOptions, EmitOptions, expand
from nsroom.streams import put

if TYPE_CHECKING:
    from nsroom.arguments import Emit
    from nsroom.record import Record
    from nsroom.target import Target


@expand
def call(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's name.")],
    args: Annotated[list[str] | None, typer.Argument(metavar="[ARG]...", show_default=False)] = None,
    *,
    connection: ConnectionOptions,
    options: EmitOptions,
    json: Annotated[bool, typer.Option("--json", help="Print the whole record.")] = False,
) -> None:
    """Emit an event and print the server's acknowledgement.

    It is JSON: one argument is printed as it is, several as an array. Ends with 7 when the answer is
    an error.

    \b
    Examples:
      nsroom call rooms
      nsroom call who room=lobby | jq .members
      nsroom call order id:=7 --timeout 30
    """
    from nsroom.signals import run

    target = replace(connection.target(), reconnect=False)
    record = run(_call(target, options.emit(event, args or [], target.namespaces[0]), options))
    put(_line(record, json))
    _check(record)


async def _call(target: "Target", emit: "Emit", options: EmitOptions) -> "Record":
    import asyncio

    from nsroom.client import Client

    client = Client(target)
    try:
        await client.connect()
        await options.enter(client)
        (answer,) = await client.ask(emit)
        async with asyncio.timeout(options.timeout):
            return await answer
    except TimeoutError:
        raise WaitError(
            f"no acknowledgement of {emit.event!r} within {options.timeout:g} s: does the server handle it?"
        ) from None
    finally:
        await client.close()


def _line(record: "Record", whole: bool) -> bytes:
    from nsroom.sinks import encode, encode_value

    if whole:
        return encode(record)
    args = record.args or []
    return encode_value(args[0] if len(args) == 1 else args)


def _check(record: "Record") -> None:
    from nsroom.delivery import is_refusal, refusal

    if is_refusal(record.args):
        raise NackError(f"the server answered {refusal(record.args)}")
