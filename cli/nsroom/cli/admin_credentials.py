"""Read the credentials for the admin namespace: option, environment or prompt. They are never shown."""

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from getpass import getpass
from pathlib import Path
from typing import Any, TypeVar

from nsroom.cli.run import run
from nsroom.errors import CredentialsError, DecodeError, NsroomError, RefusedError, UsageError, WaitError
from nsroom.introspection.ways import AdminWay, Way
from nsroom.protocol import strict_json
from nsroom.record import Json

T = TypeVar("T")

VARIABLE = "NSROOM_ADMIN"


def payload(auth: str | None, session: str | None) -> dict[str, Json] | None:
    """Return the CONNECT payload for `--admin-auth`, `--admin-session` or the environment, or None.

    Asks for the password on a terminal if only the user is given. Raises: UsageError.
    """
    if auth and session:
        raise UsageError("use either --admin-session or --admin-auth, not both")
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
        # Without the decoder's message, which may quote a secret.
        raise UsageError(f"{option}: not a valid JSON object") from None


def _checked(given: dict[str, Json]) -> dict[str, Json]:
    if usable_payload(given) is None:
        raise UsageError("a username needs a password: without one an instrumented Node server crashes")
    return given


def usable_payload(auth: dict[str, Json] | None) -> dict[str, Json] | None:
    """Return the payload of `--auth`, or None if it has a username without a password.

    On such a payload Node's bcrypt throws inside a middleware that does not catch it, and the server exits.
    """
    safe = auth and ("username" not in auth or isinstance(auth.get("password"), str))
    return auth if safe else None


def _file(option: str, text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"{option}: cannot read the file after @: {cause}") from None


def _ask(option: str, name: str) -> str:
    if not can_ask():
        raise UsageError(
            f"{option}: no terminal to ask for the password; use USER:PASSWORD, or @FILE with it"
        )
    return _password(f"Password for {name}: ")


def can_ask() -> bool:
    """Return whether nsroom can ask the user."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def run_first(
    work: Callable[[Way], Coroutine[Any, Any, T]], ways: Sequence[Way], failed: NsroomError | None = None
) -> T:
    """Run `work` with the first way that the server offers, after something else has `failed`, if it has.

    If a way needs credentials and none are given, ask for them. Raises: the errors of `cli.run.run`; if
    several ways failed, the first error with the texts of all.
    """
    for way in ways:
        try:
            return _run_asking(work, way)
        except CredentialsError:
            raise
        except (RefusedError, WaitError) as error:
            failed = failed.also(error) if failed else error
    raise failed or UsageError("--via events cannot do this: it needs a way to see the server from inside")


def _run_asking(work: Callable[[Way], Coroutine[Any, Any, T]], way: Way) -> T:
    try:
        return run(work(way))
    except CredentialsError:
        if not isinstance(way, AdminWay) or way.target.auth or not can_ask():
            raise
    return run(work(AdminWay(way.target._replace(auth=_ask_both()))))


def _ask_both() -> dict[str, Json]:
    sys.stderr.write("Admin user: ")
    sys.stderr.flush()
    name = sys.stdin.readline().strip()
    return {"username": name, "password": _password("Password: ")}


def _password(question: str) -> str:
    # Ctrl-C must raise here, so that getpass turns the terminal's echo on again.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return getpass(question)
