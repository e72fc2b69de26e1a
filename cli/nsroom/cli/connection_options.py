"""Options of every command that connects."""

import os
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from nsroom.client.presets import find
from nsroom.client.target import (
    Parser,
    Protocol,
    Target,
    Transport,
    parse_auth,
    parse_headers,
    parse_pairs,
    resolve,
)
from nsroom.errors import UsageError

_DEFAULT_PATH = "/socket.io/"

LeadingTarget = Annotated[
    str,
    typer.Argument(metavar="[TARGET]", help="/namespace, URL or :PORT/namespace.", show_default=False),
]
"""A target before the other arguments; empty if the first word has not the form of one."""
AnyTarget = Annotated[
    str | None,
    typer.Argument(metavar="[TARGET]", help="/namespace, URL, HOST or :PORT/namespace.", show_default=False),
]
"""A target that is the only argument."""
AnyTargets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...", help="/namespace, URL, HOST or :PORT/namespace.", show_default=False
    ),
]


def _presets() -> list[str]:
    from nsroom.client.presets import PRESETS

    return list(PRESETS)


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach the server."""

    url: Annotated[
        str | None,
        typer.Option(
            "-u", "--url", metavar="URL", help="The server. Default: $NSROOM_URL, else http://localhost:3000."
        ),
    ] = None
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", metavar="NS", help="A namespace; repeatable."),
    ] = None
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=_presets,
            help="The conventions of sails, nestjs, feathers, nicegui or chainlit: path, query, how to join "
            "rooms, and which answers of `call` are errors.",
        ),
    ] = None
    path: Annotated[str, typer.Option(metavar="PATH", help="HTTP path of the server.")] = _DEFAULT_PATH
    auth: Annotated[
        list[str] | None,
        typer.Option(
            "-a",
            "--auth",
            metavar="AUTH",
            help="Credentials for the CONNECT packet (the client's `auth` option): JSON, key=value, @FILE, "
            "or - for stdin. Default: $NSROOM_AUTH.",
        ),
    ] = None
    header: Annotated[
        list[str] | None,
        typer.Option(
            "-H", "--header", metavar="'NAME: VALUE'", help="A header for the handshake; repeatable."
        ),
    ] = None
    cookie: Annotated[
        list[str] | None,
        typer.Option("--cookie", metavar="NAME=VALUE", help="A cookie for the handshake; repeatable."),
    ] = None
    query: Annotated[
        list[str] | None,
        typer.Option("--query", metavar="KEY=VALUE", help="A query parameter for the handshake; repeatable."),
    ] = None
    transport: Annotated[Transport, typer.Option(help="Transport; auto tries WebSocket, then polling.")] = (
        Transport.AUTO
    )
    protocol: Annotated[
        Protocol,
        typer.Option(help="Engine.IO version: 4, or 3 for Socket.IO 2; auto detects it."),
    ] = Protocol.AUTO
    parser: Annotated[Parser, typer.Option(help="Packet encoding; auto tries JSON, then msgpack.")] = (
        Parser.AUTO
    )
    insecure: Annotated[bool, typer.Option("-k", "--insecure", help="Accept any TLS certificate.")] = False
    cacert: Annotated[
        str | None,
        typer.Option("--cacert", metavar="FILE", help="Trust the certificate authority in this PEM file."),
    ] = None
    connect_timeout: Annotated[
        float,
        typer.Option(
            "--connect-timeout", min=0.1, metavar="SECONDS", help="Stop trying to connect after this time."
        ),
    ] = 10.0
    no_reconnect: Annotated[
        bool, typer.Option("--no-reconnect", help="Exit when the connection is lost.")
    ] = False

    def target(self, *targets: str | None) -> Target:
        """Return the target that these options and the command line's targets name. Raises: UsageError."""
        url, namespaces = resolve(filter(None, targets), self.url, self.namespace or ())
        if not self.path.isprintable() or not self.path.strip("/"):
            raise UsageError(f"--path {self.path!r}: write it as /socket.io/")
        preset = find(self.preset)
        auth = self.auth or _auth_of_environment()
        return Target(
            url=url,
            namespaces=namespaces,
            path=preset.path if preset.path and self.path == _DEFAULT_PATH else self.path,
            auth=parse_auth(auth, sys.stdin.read() if "-" in auth else None),
            headers=parse_headers(self.header or ()),
            cookies=dict(parse_pairs("--cookie", self.cookie or ())),
            query=(*preset.query, *parse_pairs("--query", self.query or ())),
            transport=self.transport,
            protocol=self.protocol,
            parser=self.parser,
            insecure=self.insecure,
            cacert=self.cacert,
            connect_timeout=self.connect_timeout,
            reconnect=not self.no_reconnect,
        )

    def named(self, target: Target) -> tuple[str, ...]:
        """Return the namespaces that the user named, or none if the target has only the default one."""
        return () if not self.namespace and target.namespaces == ("/",) else target.namespaces


def _auth_of_environment() -> list[str]:
    # Not typer's envvar, which splits the value at blanks.
    text = os.environ.get("NSROOM_AUTH")
    return [text] if text else []
