"""Options that several commands share, written once: dataclasses that a command takes as an argument."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from nsroom.errors import RefusedError, UsageError
from nsroom.target import (
    Parser,
    Protocol,
    Target,
    Transport,
    namespace_of,
    parse_auth,
    parse_headers,
    parse_pairs,
    resolve,
)

if TYPE_CHECKING:
    from nsroom.arguments import Emit
    from nsroom.client import Client
    from nsroom.record import Record

F = TypeVar("F", bound=Callable[..., Any])


def expand(command: F) -> F:
    """Let typer see, in the place of each argument that is a dataclass of options, the options in it."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[parameter.name] = kind
            parameters += _parameters(kind)
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=kind, kind=keyword))

    @wraps(command)
    def expanded(**given: Any) -> Any:
        made = {name: kind(**{key: given.pop(key) for key in _names(kind)}) for name, kind in groups.items()}
        return command(**given, **made)

    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return expanded  # type: ignore[return-value]


def _names(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind)]


def _parameters(kind: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default if each.default is not MISSING else inspect.Parameter.empty,
            annotation=hints[each.name],
        )
        for each in fields(kind)
    ]


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach the server: the same on every command that connects."""

    url: Annotated[
        str | None,
        typer.Option(
            "-u", "--url", metavar="URL", help="The server. Default: $NSROOM_URL, else http://localhost:3000."
        ),
    ] = None
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", metavar="NS", help="A namespace; may be given several times."),
    ] = None
    path: Annotated[str, typer.Option(metavar="PATH", help="HTTP path of Socket.IO on the server.")] = (
        "/socket.io/"
    )
    auth: Annotated[
        list[str] | None,
        typer.Option(
            "-a",
            "--auth",
            metavar="AUTH",
            help="Payload of CONNECT: JSON, key=value, @FILE, or - for stdin. Default: $NSROOM_AUTH.",
        ),
    ] = None
    header: Annotated[
        list[str] | None,
        typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="A header of the handshake."),
    ] = None
    cookie: Annotated[
        list[str] | None, typer.Option("--cookie", metavar="NAME=VALUE", help="A cookie for the handshake.")
    ] = None
    query: Annotated[
        list[str] | None,
        typer.Option("--query", metavar="KEY=VALUE", help="A query parameter of the handshake."),
    ] = None
    transport: Annotated[
        Transport, typer.Option(help="What carries the packets; auto tries WebSocket, then polling.")
    ] = Transport.AUTO
    protocol: Annotated[
        Protocol, typer.Option(help="Engine.IO 4, or 3 as Socket.IO 2 speaks it; auto finds out.")
    ] = Protocol.AUTO
    parser: Annotated[
        Parser, typer.Option(help="What packets are written in; auto is JSON, else msgpack.")
    ] = Parser.AUTO
    insecure: Annotated[bool, typer.Option("-k", "--insecure", help="Accept any TLS certificate.")] = False
    cacert: Annotated[
        str | None,
        typer.Option("--cacert", metavar="FILE", help="Trust the certificate authority in this PEM file."),
    ] = None
    connect_timeout: Annotated[
        float,
        typer.Option("--connect-timeout", min=0.1, metavar="SECONDS", help="Give up connecting after this."),
    ] = 10.0
    no_reconnect: Annotated[bool, typer.Option("--no-reconnect", help="End when the connection is lost.")] = (
        False
    )

    def target(self, targets: Sequence[str] = ()) -> Target:
        """Check the options, and join them with the targets of the command line.

        Raises: UsageError.
        """
        url, namespaces = resolve(targets, self.url, self.namespace or ())
        if not self.path.isprintable() or not self.path.strip("/"):
            raise UsageError(f"--path {self.path!r}: give it as /socket.io/")
        auth = self.auth or _auth_of_environment()
        return Target(
            url=url,
            namespaces=namespaces,
            path=self.path,
            auth=parse_auth(auth, sys.stdin.read() if "-" in auth else None),
            headers=parse_headers(self.header or ()),
            cookies=dict(parse_pairs("--cookie", self.cookie or ())),
            query=parse_pairs("--query", self.query or ()),
            transport=self.transport,
            protocol=self.protocol,
            parser=self.parser,
            insecure=self.insecure,
            cacert=self.cacert,
            connect_timeout=self.connect_timeout,
            reconnect=not self.no_reconnect,
        )

    def named(self, target: Target) -> tuple[str, ...]:
        """Give the namespaces that are named; none where the target has only the default."""
        return () if not self.namespace and target.namespaces == ("/",) else target.namespaces


def _auth_of_environment() -> list[str]:
    # Not by typer, which takes the variable for several words.
    text = os.environ.get("NSROOM_AUTH")
    return [text] if text else []


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What to show of what is seen, how, and for how long."""

    where: Annotated[
        str | None,
        typer.Option("--where", metavar="EXPR", help="Show only what matches, as event=message & ns=/chat."),
    ] = None
    count: Annotated[
        int | None, typer.Option("-C", "--count", min=1, metavar="N", help="End after N lines.")
    ] = None
    wait: Annotated[
        float | None,
        typer.Option("-W", "--wait", min=0, metavar="SECONDS", help="End with code 5 after this time."),
    ] = None
    all: Annotated[
        bool, typer.Option("--all", help="Show every kind of record, not only received events.")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print NDJSON, even on a terminal.")] = False
    plain: Annotated[
        bool, typer.Option("--plain", help="Print readable lines: no full screen, no NDJSON.")
    ] = False
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", help="Record everything to this file, as NDJSON.")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Let --save overwrite its file.")] = False

    def only(self, usual: "Callable[[Record], bool]") -> "Callable[[Record], bool] | None":
        """Say what to show: the usual, unless `--all` or a `--where` with kind or dir asks for more.

        Raises: UsageError.
        """
        from nsroom.filters import parse

        where = parse(self.where) if self.where else None
        if self.all or (where is not None and where.fields & {"kind", "direction"}):
            return where
        return lambda record: usual(record) and (where is None or where(record))


@dataclass(frozen=True, slots=True)
class WatchOptions(ShowOptions):
    """… of one's own connection."""

    raw: Annotated[bool, typer.Option("--raw", help="Show the frames too, as they were on the wire.")] = False
    stdin: Annotated[
        bool,
        typer.Option(
            "--stdin", help="Send the lines of stdin: text to the room, or events as `emit -` takes them."
        ),
    ] = False

    def keep(self) -> "Callable[[Record], bool] | None":
        """Say what to show: received events, if nothing else is asked for. Raises: UsageError."""
        return self.only(is_received)


@dataclass(frozen=True, slots=True)
class RelayOptions(ShowOptions):
    """… of what others say to each other."""

    all: Annotated[bool, typer.Option("--all", help="Show the heartbeats too.")] = False
    raw: Annotated[bool, typer.Option("--raw", help="Show the frames too, as they were on the wire.")] = False

    def keep(self) -> "Callable[[Record], bool] | None":
        """Say what to show: all but heartbeats, if nothing else is asked for. Raises: UsageError."""
        return self.only(is_no_heartbeat)


def is_received(record: "Record") -> bool:
    """Tell whether this is an event from the server."""
    return record.kind == "event" and record.direction == "in"


def is_no_heartbeat(record: "Record") -> bool:
    """Tell whether this is worth a line where nobody asked for everything."""
    return record.kind not in ("ping", "pong")


class Via(StrEnum):
    """How to reach the rooms of a server. `auto`: the application's own events, else the admin namespace."""

    AUTO = "auto"
    EVENTS = "events"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """How to get into the admin namespace of an instrumented server."""

    admin_auth: Annotated[
        str | None,
        typer.Option(
            "--admin-auth",
            metavar="AUTH",
            help="USER:PASSWORD, USER to be asked, JSON, or @FILE with one of them. Default: $NSROOM_ADMIN.",
        ),
    ] = None
    admin_session: Annotated[
        str | None,
        typer.Option("--admin-session", metavar="ID", help="A session id of the admin, or @FILE with it."),
    ] = None
    admin_namespace: Annotated[
        str, typer.Option("--admin-namespace", metavar="NS", help="The admin namespace.")
    ] = "/admin"

    def target(self, base: Target) -> Target:
        """Turn to the admin namespace of the same server; without credentials `--auth` is the payload.

        Raises: UsageError.
        """
        from nsroom.admin.credentials import fitting, payload

        auth = payload(self.admin_auth, self.admin_session) or fitting(base.auth)
        return replace(base, namespaces=(namespace_of(self.admin_namespace),), auth=auth)


@dataclass(frozen=True, slots=True)
class EmitOptions:
    """What an event is made of, and where the reference server relays it."""

    text: Annotated[bool, typer.Option("-t", "--text", help="Take every ARG as a plain string.")] = False
    room: Annotated[
        list[str] | None,
        typer.Option(
            "--room",
            "--to",
            metavar="ROOM",
            help="Join this room of the reference server, and relay it there.",
        ),
    ] = None
    skip: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="ROOM", help="… but not to the members of this one."),
    ] = None
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for an acknowledgement."),
    ] = 5.0

    def emit(self, event: str, args: Sequence[str], namespace: str) -> "Emit":
        """Make the event out of the words of the command line. Raises: UsageError."""
        from nsroom.arguments import Emit, parse_arguments

        return self.relayed(Emit(namespace, event, parse_arguments(args, self.text)))

    def relayed(self, emit: "Emit") -> "Emit":
        """Wrap the event for a relay, if one is asked for. Raises: UsageError."""
        from nsroom.arguments import relay

        if self.skip and not self.room:
            raise UsageError("--except leaves members of --room out: give that too")
        return relay(emit, self.room, self.skip or ()) if self.room else emit

    async def enter(self, client: "Client") -> None:
        """Join the rooms of a relay: the reference server lets only members send to one.

        Raises: RefusedError.
        """
        from nsroom.joins import PRESETS, join

        if not self.room:
            return
        if refused := await join(client, self.room, PRESETS["join"], lambda _: None):
            raise RefusedError(f"the server refused to join {'; '.join(refused)}")
