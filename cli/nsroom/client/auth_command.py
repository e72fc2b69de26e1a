"""Run the command of --auth-command, whose output is the payload of CONNECT."""

import shlex

from nsroom.client.programs import MAX_OUTPUT, ProgramError, output_of
from nsroom.client.target import AuthCommand, Target, parse_auth
from nsroom.errors import ConnectError, UsageError
from nsroom.record import Json


async def payload(command: AuthCommand, timeout: float) -> dict[str, Json] | None:
    """Run the command without a shell and return what it prints, read as --auth reads it.

    Raises: ConnectError if it fails, prints something else, or does not end within `timeout` seconds.
    """
    words = shlex.split(command.line)
    try:
        out = await output_of(words, timeout, folder=command.folder)
    except ProgramError as error:
        raise ConnectError(f"--auth-command: {error}") from None
    return _parse(words[0], out)


async def authenticated(target: Target) -> Target:
    """Return the target with the payload of its command, for one connection. Raises: as `payload`."""
    if target.auth_command is None:
        return target
    return target._replace(auth=await payload(target.auth_command, target.connect_timeout))


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
