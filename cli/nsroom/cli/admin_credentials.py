"""What proves to an admin namespace who asks: a name and a password, or a session; never shown."""

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import Any, TypeVar

from nsroom.cli.run import run
from nsroom.client.target import Target
from nsroom.errors import CredentialsError, DecodeError, UsageError
from nsroom.protocol import strict_json
from nsroom.record import Json

T = TypeVar("T")

VARIABLE = "NSROOM_ADMIN"


def payload(auth: str | None, session: str | None) -> dict[str, Json] | None:
    """Make the payload of CONNECT out of `--admin-auth`, `--admin-session` and the environment.

    Asks on a terminal for the password of a name that is given alone. Raises: UsageError.
    """
    if auth and session:
        raise UsageError("--admin-session stands for --admin-auth: give one or the other")
    if session:
        return {"sessionId": _file("--admin-session", session)}
    text = auth or os.environ.get(VARIABLE)
    if not text:
        return None
    option = "--admin-auth" if auth else f"${VARIABLE}"
    return _parse(option, _file(option, text))


def _parse(option: str, text: str) -> dict[str, Json]:
    if text.startswith("{"):
        return _checked(_object(option, text))
    name, colon, password = text.partition(":")
    return {"username": name, "password": password if colon else _ask(option, name)}


def _object(option: str, text: str) -> dict[str, Json]:
    try:
        return dict(strict_json.load(text))
    except DecodeError:
        # Not what the decoder says: it may quote a secret.
        raise UsageError(f"{option}: no valid JSON object") from None


def _checked(given: dict[str, Json]) -> dict[str, Json]:
    if fitting(given) is None:
        raise UsageError("a username needs a password: without one an instrumented Node server crashes")
    return given


def fitting(auth: dict[str, Json] | None) -> dict[str, Json] | None:
    """Give what was meant for an application, unless it has a username and no password.

    Node's bcrypt throws on such, in a middleware where nobody catches it, and the server ends.
    """
    safe = auth and ("username" not in auth or isinstance(auth.get("password"), str))
    return auth if safe else None


def _file(option: str, text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"{option}: cannot read {text[1:]}: {getattr(error, 'strerror', error)}") from None


def _ask(option: str, name: str) -> str:
    if not can_ask():
        raise UsageError(
            f"{option}: give USER:PASSWORD, or @FILE that holds it; there is no terminal to ask on"
        )
    return _password(f"Password of {name}: ")


def can_ask() -> bool:
    """Say whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def run_asking(work: Callable[[Target], Coroutine[Any, Any, T]], target: Target) -> T:
    """Run `work` against an admin namespace; where that wants credentials and none are given, ask a person.

    Raises: as `signals.run`.
    """
    try:
        return run(work(target))
    except CredentialsError:
        if target.auth or not can_ask():
            raise
    return run(work(replace(target, auth=_ask_both())))


def _ask_both() -> dict[str, Json]:
    sys.stderr.write("Admin user: ")
    sys.stderr.flush()
    name = sys.stdin.readline().strip()
    return {"username": name, "password": _password("Password: ")}


def _password(question: str) -> str:
    # Whoever thinks better of it is to get the terminal's echo back.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return getpass(question)
