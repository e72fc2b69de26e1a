"""Options of every command that connects."""

import json
import os
import shlex
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from nsroom.cli import configuration
from nsroom.cli.declarations import Argument, Option, Options
from nsroom.client.name_resolution import use
from nsroom.client.presets import find
from nsroom.client.target import (
    DEFAULT_PATH,
    AuthCommand,
    Parser,
    Protocol,
    Target,
    Transport,
    is_host,
    is_target,
    parse_auth,
    parse_headers,
    parse_pairs,
    resolve,
)
from nsroom.errors import UsageError
from nsroom.output.stdio import say
from nsroom.record import Json

_CHOICES: dict[str, type[StrEnum]] = {"transport": Transport, "protocol": Protocol, "parser": Parser}

LeadingTarget = Annotated[
    str,
    Argument(metavar="[TARGET]", help="/namespace, URL or :PORT/namespace.", show_default=False),
]
"""A target before the other arguments; empty if the first word has not the form of one."""
AnyTarget = Annotated[
    str | None,
    Argument(metavar="[TARGET]", help="/namespace, URL, HOST or :PORT/namespace.", show_default=False),
]
"""A target that is the only argument."""
AnyTargets = Annotated[
    list[str] | None,
    Argument(metavar="[TARGET]...", help="/namespace, URL, HOST or :PORT/namespace.", show_default=False),
]

Insecure = Annotated[bool, Option("-k", "--insecure", help="Accept any TLS certificate.")]
CaCert = Annotated[
    str | None,
    Option("--cacert", metavar="FILE", help="Trust the certificate authority in this PEM file."),
]
Cert = Annotated[
    str | None,
    Option("--cert", metavar="FILE", help="Show the server this client certificate, a PEM file."),
]
Key = Annotated[
    str | None,
    Option("--key", metavar="FILE", help="The key of --cert, if it is in another PEM file."),
]
ConnectTimeout = Annotated[
    float,
    Option("--connect-timeout", min=0.1, metavar="SECONDS", help="Stop trying to connect after this time."),
]


def _presets() -> list[str]:
    from nsroom.client.presets import PRESETS

    return list(PRESETS)


class ConnectionOptions(Options):
    """How to reach the server."""

    url: Annotated[
        str | None,
        Option(
            "-u", "--url", metavar="URL", help="The server. Default: $NSROOM_URL, else http://localhost:3000."
        ),
    ] = None
    namespace: Annotated[
        list[str] | None,
        Option("-n", "--namespace", metavar="NS", help="A namespace; repeatable."),
    ] = None
    preset: Annotated[
        str | None,
        Option(
            metavar="NAME",
            autocompletion=_presets,
            help="The conventions of sails, nestjs, feathers, nicegui or chainlit: path, query, how to join "
            "rooms, and which answers of `call` are errors.",
        ),
    ] = None
    path: Annotated[str, Option(metavar="PATH", help="HTTP path of the server.")] = DEFAULT_PATH
    auth: Annotated[
        list[str] | None,
        Option(
            "-a",
            "--auth",
            metavar="AUTH",
            help="Credentials for the CONNECT packet (the client's `auth` option): JSON, key=value, @FILE, "
            "or - for stdin. Default: $NSROOM_AUTH.",
        ),
    ] = None
    auth_command: Annotated[
        str | None,
        Option(
            "--auth-command",
            metavar="COMMAND",
            help="Run this before each connection; its output is read as --auth. No shell is used.",
        ),
    ] = None
    header: Annotated[
        list[str] | None,
        Option("-H", "--header", metavar="'NAME: VALUE'", help="A header for the handshake; repeatable."),
    ] = None
    cookie: Annotated[
        list[str] | None,
        Option("--cookie", metavar="NAME=VALUE", help="A cookie for the handshake; repeatable."),
    ] = None
    query: Annotated[
        list[str] | None,
        Option("--query", metavar="KEY=VALUE", help="A query parameter for the handshake; repeatable."),
    ] = None
    transport: Annotated[Transport, Option(help="Transport; auto tries WebSocket, then polling.")] = (
        Transport.AUTO
    )
    protocol: Annotated[
        Protocol,
        Option(help="Engine.IO version: 4, or 3 for Socket.IO 2; auto detects it."),
    ] = Protocol.AUTO
    parser: Annotated[Parser, Option(help="Packet encoding; auto tries JSON, then msgpack.")] = Parser.AUTO
    insecure: Insecure = False
    cacert: CaCert = None
    cert: Cert = None
    key: Key = None
    resolve: Annotated[
        list[str] | None,
        Option(
            "--resolve",
            metavar="HOST:PORT:ADDRESS",
            help="Connect to this address for the host and port, as for curl; repeatable.",
        ),
    ] = None
    connect_timeout: ConnectTimeout = 10.0
    no_reconnect: Annotated[bool, Option("--no-reconnect", help="Exit when the connection is lost.")] = False

    given: frozenset[str] = frozenset()
    """The names of the options on the command line: they beat the configuration."""

    def target(self, *targets: str | None) -> Target:
        """Return the target that these options, the configuration and the command line's targets name.

        Raises: UsageError.
        """
        configured = configuration.load()
        words = [word for word in targets if word]
        server, words, url = _server(configured, words, self.url)
        values = configured.options(server)
        if url is None and (server or "NSROOM_URL" not in os.environ):
            url = values.get("url")
        return self._configured(values)._target(words, url, values.get("namespace", ()))

    def _configured(self, values: configuration.Values) -> "ConnectionOptions":
        """Return these options, completed with those of the configuration."""
        changes: dict[str, Any] = {}
        for option, value in values.items():
            name = option.replace("-", "_")
            if name in ("header", "cookie", "query"):
                own = getattr(self, name) or []
                names = {configuration.name_in(text) for text in own}
                changes[name] = [text for text in value if configuration.name_in(text) not in names] + own
            elif name in ("auth", "auth_command") and (self.auth or _auth_of_environment()):
                continue  # credentials on the command line or in the variable beat both
            elif name not in ("url", "namespace") and name not in self.given:
                changes[name] = _choice(name, value)
        return self.replace(**changes)

    def _target(self, words: list[str], url: str | None, default: Iterable[str]) -> Target:
        preset = find(self.preset)
        url, namespaces, said = resolve(words, url, self.namespace or (), default)
        if said.path is not None:
            say(f"the URL is that of a request, so it is taken as {said} and a new session")
        path = said.path or preset.path or self.path if self.path == DEFAULT_PATH else self.path
        if not path.isprintable() or not path.strip("/"):
            raise UsageError(f"--path {path!r}: write it as /socket.io/")
        auth = self.auth or _auth_of_environment()
        use(self.resolve or ())
        return Target(
            url=url,
            namespaces=namespaces,
            path=path,
            auth=parse_auth(auth, sys.stdin.read() if "-" in auth else None),
            auth_command=_auth_command(self.auth_command),
            headers=parse_headers(self.header or ()),
            cookies=dict(parse_pairs("--cookie", self.cookie or ())),
            query=(*preset.query, *said.query, *parse_pairs("--query", self.query or ())),
            transport=said.transport if self.transport is Transport.AUTO else self.transport,
            protocol=said.protocol if self.protocol is Protocol.AUTO else self.protocol,
            parser=self.parser,
            insecure=self.insecure,
            cacert=self.cacert,
            cert=self.cert,
            key=self.key,
            connect_timeout=self.connect_timeout,
            reconnect=not self.no_reconnect,
            unix=said.unix,
        )

    def with_auth(self, auth: dict[str, Json] | None) -> "ConnectionOptions":
        """Return these options with a payload of CONNECT: of stdin or a command, which are read once."""
        return self if auth is None else self.replace(auth=[json.dumps(auth)], auth_command=None)

    def named(self, target: Target, *words: str | None) -> tuple[str, ...]:
        """Return the namespaces that the user named, with -n or in `words` (the path of a URL may name one).

        None if `target` has the default one.
        """
        is_default = not self.namespace and "/" not in words and target.namespaces == ("/",)
        return () if is_default else target.namespaces


def _server(
    configured: configuration.Configuration, words: list[str], url: str | None
) -> tuple[str | None, list[str], str | None]:
    """Return the server of the configuration that is named, if any, and the words and the URL without it."""
    found = [(word, configured.server_of(word)) for word in words]
    names = {server[0] for _, server in found if server}
    rest = [server[1] if server else word for word, server in found]
    if url is not None and (server := configured.server_of(url)):
        names.add(server[0])
        rest += [server[1]] * (not any(rest))
        url = None
    elif url is not None and not is_target(url) and not is_host(url):
        raise UsageError(f"-u {configured.explain_unknown(url)}")
    if len(names) > 1:
        raise UsageError(f"one connection has one server, but two are named: {' and '.join(sorted(names))}")
    return next(iter(names), None), [word for word in rest if word], url


def _choice(name: str, value: Any) -> Any:
    kind = _CHOICES.get(name)
    if kind is None:
        return value
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"configuration: {name} {value!r}: choose one of {', '.join(kind)}") from None


def _auth_command(text: str | AuthCommand | None) -> AuthCommand | None:
    command = AuthCommand(text) if isinstance(text, str) else text
    if command is None:
        return None
    try:
        words = shlex.split(command.line)
    except ValueError as error:
        raise UsageError(f"--auth-command: {str(error).lower()}") from None
    if not words:
        raise UsageError("--auth-command: name a command, such as 'pass show nsroom'")
    return command


def _auth_of_environment() -> list[str]:
    # Not typer's envvar, which splits the value at blanks.
    text = os.environ.get("NSROOM_AUTH")
    return [text] if text else []
