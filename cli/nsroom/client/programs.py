"""Run a program of the user without a shell, for a bounded time and with a bounded output."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import cast

MAX_OUTPUT = 1_000_000
"""Bytes of output."""
_MAX_REASON = 200


class ProgramError(Exception):
    """The program could not be run, failed, or did not end in time; the text says which."""


async def output_of(
    words: Sequence[str],
    timeout: float,
    *,
    stdin: bytes = b"",
    folder: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """Run a program with `stdin` and these additional variables; return its output.

    The output is cut after MAX_OUTPUT bytes. Raises: ProgramError.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **variables} if variables else None,
        )
    except OSError as error:
        raise ProgramError(f"cannot run {words[0]}: {error.strerror}") from None
    reading = asyncio.gather(_read(process.stdout), _read(process.stderr))
    try:
        async with asyncio.timeout(timeout):
            await _write(process.stdin, stdin)
            out, err = await reading
            code = await process.wait()
    except TimeoutError:
        raise ProgramError(f"{words[0]} did not end within {timeout:g} s") from None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if code:
        reason = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:_MAX_REASON]
        failure = f"{words[0]} failed with code {code}"
        raise ProgramError(f"{failure}: {reason}" if reason else failure)
    return out


async def _write(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read its input
        stream.write(data)
        await stream.drain()
        stream.close()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    """Return at most MAX_OUTPUT bytes; read the rest too, so that the program can end."""
    kept = bytearray()
    while chunk := await cast(asyncio.StreamReader, stream).read(65_536):
        kept += chunk[: MAX_OUTPUT - len(kept)]
    return bytes(kept)
