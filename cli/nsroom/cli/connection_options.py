"""The options of a connection."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

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
