"""`nsroom serve`: start the reference server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from nsroom_server.app import MakeApplication
    from nsroom_server.settings.config import Administrator, Config


def _limit_names(incomplete: str) -> list[str]:
    """Return the limits for the completion."""
    from dataclasses import fields

    from nsroom_server.settings.limits import Limits

    return [name for each in fields(Limits) if (name := f"{each.name}=").startswith(incomplete)]


def _fault_names(incomplete: str) -> list[str]:
    """Return the faults for the completion of the last one of a list with commas."""
    head, comma, word = incomplete.rpartition(",")
    names = ("latency=", "drop=", "kick=", "no-upgrade", "no-ack", "no-sticky", "forget", "reject=")
    return [f"{head}{comma}{name}" for name in names if name.startswith(word)]


def serve(
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="[[HOST]:PORT]",
            help="Address to listen on, instead of --host and --port.",
            show_default=False,
        ),
    ] = None,
    *,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Host to listen on.  [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "-p", "--port", metavar="N", help="Port to listen on; 0 picks a free one.  [default: 3000]"
        ),
    ] = None,
    path: Annotated[str, typer.Option(metavar="PATH", help="HTTP path of the server.")] = "/socket.io/",
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NS",
            help="A namespace to offer; repeatable.  [default: / /my-namespace /chat /lab]",
        ),
    ] = None,
    any_namespace: Annotated[bool, typer.Option("--any-namespace", help="Accept every namespace.")] = False,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|none", help="File for the message history.  [default: in the user's state folder]"
        ),
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            envvar="NSROOM_REDIS",
            metavar="URL",
            help="Redis or Valkey to run several servers as one, e.g. redis://host:6379; needs "
            "nsroom[redis]. Put a password in $NSROOM_REDIS, not here.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="NSROOM_TOKEN",
            metavar="TOKEN|@FILE",
            help='Only accept clients that send {"token": TOKEN} with the CONNECT packet. Visible in `ps` '
            "unless given as @FILE or $NSROOM_TOKEN.",
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Origin of web pages to accept; repeatable, * accepts any.  [default: the server's own]",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="Host name to accept in requests; repeatable, * accepts any.  "
            "[default: this machine's own; any if --host is beyond this machine]",
        ),
    ] = None,
    ping_interval: Annotated[float, typer.Option(metavar="SECONDS", help="Time between heartbeats.")] = 25.0,
    ping_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time to wait for the answer to a heartbeat.")
    ] = 20.0,
    max_payload: Annotated[
        int, typer.Option(metavar="N", help="Largest packet or body, in bytes.")
    ] = 1_000_000,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Set one of the limits that --print-limits lists; repeatable.",
            autocompletion=_limit_names,
        ),
    ] = None,
    transports: Annotated[
        str, typer.Option(metavar="NAME,…", help="Transports to offer.")
    ] = "polling,websocket",
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate chain (PEM): serve HTTPS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key, if not in the same file.")
    ] = None,
    drain: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time to finish pending work after SIGTERM.")
    ] = 5.0,
    recovery: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="Let clients that lose their connection continue within this time, with their rooms and the "
            "events they missed.  [default: off]",
            show_default=False,
        ),
    ] = 0.0,
    admin: Annotated[
        str | None,
        typer.Option(
            metavar="USER[:PASSWORD]|@FILE",
            help="Offer the namespace /admin to this user of the Socket.IO Admin UI, who sees all traffic; "
            "without a password, one is generated and printed.",
        ),
    ] = None,
    admin_write: Annotated[
        bool,
        typer.Option("--admin-write", help="Let the administrator also emit, join, leave and disconnect."),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT,…",
            help="Misbehave on purpose to test clients: latency=200ms, drop=5%, kick=30s, no-upgrade, "
            "no-ack, no-sticky, forget, reject=/chat; repeatable.",
            autocompletion=_fault_names,
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Follow the rules in this file instead of serving the chat; in every namespace, unless -n "
            "names some. SIGHUP reads it again.",
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Send each client what a client in this recording or HAR file received, instead of serving "
            "the chat.",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="FACTOR",
            help="With --replay: 2 is twice as fast as recorded, 0 without pauses.  [default: 1]",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --replay: refuse events that are not in the recording.")
    ] = False,
    log_format: Annotated[Literal["text", "json"], typer.Option(help="Format of log lines.")] = "text",
    no_greeting: Annotated[
        bool, typer.Option("--no-greeting", help="Do not emit hi to the namespace when a client connects.")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Do not answer browsers with a page at /.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without a token.")
    ] = False,
    conformance: Annotated[
        bool,
        typer.Option(
            "--conformance",
            help="Serve the application that the protocol test suites expect instead of the chat.",
        ),
    ] = False,
    print_limits: Annotated[bool, typer.Option("--print-limits", help="Print the limits and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --print-limits: print JSON.")] = False,
) -> None:
    """Start the reference server.

    The namespaces /, /my-namespace and /chat have rooms, presence and message history; /lab has events to
    test clients with. On SIGTERM it finishes pending work.

    \b
    Examples:
      nsroom serve
      nsroom serve :3001
      nsroom serve --port 0 --history none
      nsroom serve -n /game -n /lobby --cors-origin https://example.org
      NSROOM_TOKEN=secret nsroom serve --host 0.0.0.0 --tls-cert cert.pem
      nsroom serve --redis redis://localhost
      nsroom serve --print-limits --json
      nsroom serve --limit rooms_per_socket=10 --limit events_per_second=50
      nsroom serve --admin ann --cors-origin https://admin.socket.io
      nsroom serve --fault latency=200ms,drop=5%
      nsroom serve --script shop.rules
      nsroom serve --replay session.ndjson --speed 0
    """
    from nsroom.errors import UsageError

    if as_json and not print_limits:
        raise UsageError("--json needs --print-limits")
    make = _mock(script, replay, speed, strict)
    if recovery and (replay or conformance):
        raise UsageError("--recovery works with the chat and with --script, not with this application")
    if make and (history or redis or admin or conformance):
        raise UsageError("--history, --redis, --admin and --conformance are for the server's own application")
    any_namespace = any_namespace or (make is not None and not namespace)
    config = _config(
        **_address(address, host, port),
        path=path,
        any_namespace=any_namespace,
        redis=redis,
        token=_secret(token, "token"),
        cors_origins=tuple(cors_origin or ()),
        allowed_hosts=tuple(allowed_host or ()),
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        max_payload=max_payload,
        limits=limit or [],
        transports=tuple(transports.split(",")),
        tls_cert=tls_cert,
        tls_key=tls_key,
        drain=drain,
        recovery=recovery,
        faults=fault or [],
        admin=_administrator(admin, admin_write),
        log_format=log_format,
        insecure=insecure,
        greeting=not no_greeting,
        page=not no_page,
        conformance=conformance,
        **_history("none" if make else history, redis),
        **_namespaces(namespace, any_namespace),
    )
    if print_limits:
        typer.echo(_limits(config, as_json))
        return
    _run(config, make)


def _run(config: "Config", make: "MakeApplication | None") -> None:
    import logging

    # Before any other import of aiohttp, which would read the system's certificates: that takes 50 ms.
    import nsroom.client.transports.slim_aiohttp  # noqa: F401
    from nsroom.errors import ConnectError, UsageError
    from nsroom.output.stdio import is_quiet, is_verbose
    from nsroom_server.app import run
    from nsroom_server.errors import BusError, ConfigError, ListenError

    try:
        level = logging.WARNING if is_quiet() else logging.DEBUG if is_verbose() else logging.INFO
        code = run(config, level, make)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    except (BusError, ListenError) as error:
        raise ConnectError(str(error)) from error
    if code:
        raise typer.Exit(code)


def _mock(
    script: Path | None, replay: Path | None, speed: float | None, strict: bool
) -> "MakeApplication | None":
    """Return what makes the application of a script or a recording, if one is given. Raises: UsageError."""
    from nsroom.errors import UsageError

    if script and replay:
        raise UsageError("use either --script or --replay, not both")
    if not replay and (strict or speed is not None):
        raise UsageError("--speed and --strict need --replay FILE")
    return _scripted(script) if script else _replayed(replay, speed, strict) if replay else None


def _scripted(file: Path) -> "MakeApplication":
    from nsroom.mock.application import Mock
    from nsroom.mock.rules import read

    rules = read(file)
    return lambda config, server: Mock(config, server, file, rules)


def _replayed(file: Path, speed: float | None, strict: bool) -> "MakeApplication":
    from nsroom.capture.recorded import read_file
    from nsroom.errors import UsageError
    from nsroom.mock.replay import Replay
    from nsroom.mock.sessions import sessions

    found = sessions(list(enumerate(read_file(file), 1)))
    if not found:
        raise UsageError(f"{file}: no namespace to replay; record one with --save")
    return lambda config, server: Replay(config, server, found, 1.0 if speed is None else speed, strict)


def _config(**fields: Any) -> "Config":
    from nsroom.errors import UsageError
    from nsroom_server.errors import ConfigError
    from nsroom_server.settings.config import Config, LogFormat
    from nsroom_server.settings.faults import Faults
    from nsroom_server.settings.limits import Limits

    try:
        read = {
            "log_format": LogFormat(fields["log_format"]),
            "limits": Limits.parse(fields["limits"]),
            "faults": Faults.parse(fields["faults"]),
        }
        return Config(**{**fields, **read})
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _address(text: str | None, host: str | None, port: int | None) -> dict[str, Any]:
    """Return the given host and port to listen on, without those left out. Raises: UsageError."""
    from nsroom.errors import UsageError

    if text is not None and (host is not None or port is not None):
        raise UsageError(f"either the address {text} or --host and --port, not both")
    if text is not None:
        from nsroom.client.listening import parse_listen

        host, port = parse_listen("address", text)
    return {name: value for name, value in (("host", host), ("port", port)) if value is not None}


def _namespaces(named: list[str] | None, any_namespace: bool) -> dict[str, tuple[str, ...]]:
    return {"namespaces": tuple(named)} if named else {"namespaces": ()} if any_namespace else {}


def _secret(option: str | None, what: str) -> str | None:
    from nsroom.errors import UsageError

    if option is None or not option.startswith("@"):
        return option
    try:
        return Path(option[1:]).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        cause = str(getattr(error, "strerror", None) or "it is not UTF-8").lower()
        raise UsageError(f"{what} file {option[1:]}: {cause}; name a file that holds the {what}") from error


def _administrator(option: str | None, write: bool) -> "Administrator | None":
    import secrets

    from nsroom.errors import UsageError
    from nsroom.output.stdio import complain
    from nsroom_server.settings.config import Administrator

    text = _secret(option, "admin")
    if text is None:
        if write:
            raise UsageError("--admin-write needs --admin USER:PASSWORD")
        return None
    user, colon, password = text.partition(":")
    if user and not colon:
        password = secrets.token_urlsafe(12)
        complain(f"the password of {user} for /admin is {password}")
    return Administrator(user=user, password=password, write=write)


def _history(option: str | None, redis: str | None) -> dict[str, Any]:
    if option == "none":
        return {"history": None, "keep_messages": False}
    if option:
        return {"history": Path(option)}
    if redis:
        return {}
    from nsroom.folders import state_folder

    return {"history": state_folder() / "history.db"}


def _limits(config: "Config", as_json: bool) -> str:
    if as_json:
        return json.dumps(config.all_limits)
    return "\n".join(f"{name}: {value}" for name, value in config.all_limits.items())
