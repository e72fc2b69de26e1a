"""Run the command of --auth-command, whose output is the payload of CONNECT."""

import asyncio
import contextlib
import shlex
from dataclasses import replace
from typing import cast

from nsroom.client.target import AuthCommand, Target, parse_auth
from nsroom.errors import ConnectError, UsageError
from nsroom.record import Json

MAX_OUTPUT = 1_000_000
"""Bytes of output."""
_MAX_REASON = 200


async def payload(command: AuthCommand, timeout: float) -> dict[str, Json] | None:
    """Run the command without a shell and return what it prints, read as --auth reads it.

    Raises: ConnectError if it fails, prints something else, or does not end within `timeout` seconds.
    """
    words = shlex.split(command.line)
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=command.folder,
        )
    except OSError as error:
        raise ConnectError(f"--auth-command: cannot run {words[0]}: {error.strerror}") from None
    try:
        async with asyncio.timeout(timeout):
            out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            code = await process.wait()
    except TimeoutError:
        raise ConnectError(f"--auth-command: {words[0]} did not end within {timeout:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if code:
        reason = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:_MAX_REASON]
        failure = f"--auth-command: {words[0]} failed with code {code}"
        raise ConnectError(f"{failure}: {reason}" if reason else failure)
    return _parse(words[0], out)


async def authenticated(target: Target) -> Target:
    """Return the target with the payload of its command, for one connection. Raises: as `payload`."""
    if target.auth_command is None:
        return target
    return replace(target, auth=await payload(target.auth_command, target.connect_timeout))


def _parse(name: str, output: bytes) -> dict[str, Json] | None:
    # The output is a secret: no message repeats it.
    try:
        return parse_auth(line for line in [output.decode("utf-8").strip()] if line)
    except (UsageError, UnicodeDecodeError):
        raise ConnectError(
            f"--auth-command: {name} printed neither a JSON object nor key=value"
            if len(output) < MAX_OUTPUT
            else f"--auth-command: {name} printed more than {MAX_OUTPUT} bytes"
        ) from None


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    """Return at most MAX_OUTPUT bytes; read the rest too, so that the command can end."""
    kept = bytearray()
    while chunk := await cast(asyncio.StreamReader, stream).read(65_536):
        kept += chunk[: MAX_OUTPUT - len(kept)]
    return bytes(kept)
