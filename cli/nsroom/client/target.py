"""Resolve URL, path, namespaces and authentication into a Target."""

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from nsroom.errors import DecodeError, UsageError
from nsroom.lazy import compile_lazily
from nsroom.protocol import strict_json
from nsroom.record import Json

DEFAULT_URL = "http://localhost:3000"
DEFAULT_PATH = "/socket.io/"
_ENGINE_QUERY = frozenset(("EIO", "transport", "sid", "t", "b64", "j"))
"""Parameters of Engine.IO's own: they belong to one request or session."""
_ENGINE_PATH = compile_lazily("/socket[.]io/?$")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_USER = compile_lazily(r"[^\s/@]*:(?!//)\S*@")
_QUERY = compile_lazily(r"^([^\s?]*[/:][^\s?]*\?).*", re.DOTALL)
_HEADER = compile_lazily(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNIX = "unix:"
_URL = compile_lazily(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = compile_lazily(r":\d{1,5}(?:[/?].*)?")
_HOST = compile_lazily(r"(\[[0-9a-fA-F:.]+(?:%[\w.%-]+)?\]|\w(?:[\w.-]*\w)?)(:\d{1,5})?(?:[/?].*)?")
_THIS_MACHINE = compile_lazily(r"(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]", re.I)


class Transport(StrEnum):
    """The transport of the packets. `auto`: WebSocket, else polling."""

    AUTO = "auto"
    WEBSOCKET = "websocket"
    POLLING = "polling"


class Protocol(StrEnum):
    """The revision of Engine.IO: 4, or 3 for Socket.IO 2. `auto`: the one that the server speaks."""

    AUTO = "auto"
    V4 = "4"
    V3 = "3"


class Parser(StrEnum):
    """The encoding of packets. `auto`: JSON, unless the server uses MessagePack."""

    AUTO = "auto"
    JSON = "json"
    MSGPACK = "msgpack"


class AuthCommand(NamedTuple):
    """A command whose output is the payload of CONNECT."""

    line: str
    folder: str | None = None
    """Where to run it; None is the current folder."""


class Target(NamedTuple):
    """One Socket.IO server and how to reach it."""

    url: str = DEFAULT_URL
    """Scheme, optional user and password, host and port; without a path."""
    namespaces: tuple[str, ...] = ("/",)
    path: str = DEFAULT_PATH
    slash: bool = True
    """Whether the path ends with a slash when it is sent, as clients do by default."""
    auth: dict[str, Json] | None = None
    auth_command: AuthCommand | None = None
    """Run before each connection; replaces `auth`."""
    headers: Mapping[str, str] = {}
    cookies: Mapping[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    transport: Transport = Transport.AUTO
    protocol: Protocol = Protocol.AUTO
    parser: Parser = Parser.AUTO
    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None
    """A PEM file with the client's certificate, and its key unless `key` names another file."""
    key: str | None = None
    connect_timeout: float = 10.0
    """Seconds, from the name lookup to the answer for every namespace."""
    reconnect: bool = True
    unix: str | None = None
    """The path of a Unix socket to connect to, instead of the URL's host."""

    @property
    def place(self) -> str:
        """The URL to show, without user and password."""
        if self.unix is not None:
            return f"unix:{self.unix}"
        scheme, _, rest = self.url.partition("//")
        return f"{scheme}//{rest.rpartition('@')[2]}"

    @property
    def port(self) -> int:
        """The port of the URL."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class UrlOptions(NamedTuple):
    """What a URL says of the handshake, besides the server and the namespace."""

    query: tuple[tuple[str, str], ...] = ()
    path: str | None = None
    """The HTTP path, if the URL is that of a request and not of a namespace."""
    transport: Transport = Transport.AUTO
    protocol: Protocol = Protocol.AUTO
    unix: str | None = None
    """The path of a Unix socket."""

    def __str__(self) -> str:
        options = [f"--path {shlex.quote(self.path or '')}"]
        if self.transport is not Transport.AUTO:
            options.append(f"--transport {self.transport}")
        if self.protocol is not Protocol.AUTO:
            options.append(f"--protocol {self.protocol}")
        return " ".join([*options, *(f"--query {shlex.quote(name)}=…" for name, _ in self.query)])


class Address(NamedTuple):
    """A server, the namespaces, and what the URLs say of the handshake."""

    url: str
    namespaces: tuple[str, ...]
    options: UrlOptions = UrlOptions()


class _Parsed(NamedTuple):
    """The parts of one target; those that it does not name are None or empty."""

    server: str | None = None
    namespace: str | None = None
    options: UrlOptions = UrlOptions()


def resolve(
    texts: Iterable[str], url: str | None, namespaces: Iterable[str], otherwise: Iterable[str] = ()
) -> Address:
    """Return what targets, `--url` and `--namespace` name together.

    `otherwise` are the namespaces without any of those.

    Raises: UsageError for two servers, or a text that is neither URL nor namespace.
    """
    parsed = [_parse(text) for text in texts]
    base = _parse(url) if url else _Parsed()
    servers = {each.server for each in (*parsed, base) if each.server}
    if len(servers) > 1:
        places = " and ".join(sorted(map(masked, servers)))
        raise UsageError(f"one connection has one server, but two are named: {places}")
    if not servers:
        default = _parse(os.environ.get("NSROOM_URL") or DEFAULT_URL)
        servers = {default.server or DEFAULT_URL}
        base = default._replace(namespace=base.namespace or default.namespace)
    named = [each.namespace for each in parsed if each.namespace] + [
        namespace_of(text) for text in namespaces
    ]
    if not named:
        named = [base.namespace] if base.namespace else [namespace_of(text) for text in otherwise] or ["/"]
    options = _merged([each.options for each in (*parsed, base)])
    return Address(servers.pop(), tuple(dict.fromkeys(named)), options)


def _merged(options: Sequence[UrlOptions]) -> UrlOptions:
    """Return the query of all URLs, and the other options of the first that has them."""
    query = tuple(dict.fromkeys(pair for each in options for pair in each.query))
    first = next((each for each in options if each.path is not None), UrlOptions())
    return first._replace(query=query, unix=next((each.unix for each in options if each.unix), None))


def is_target(text: str) -> bool:
    """Return whether a text can only be meant as a target: /namespace, a URL, or :PORT."""
    return text.startswith(("/", _UNIX)) or bool(_URL.match(text) or _PORT.fullmatch(text))


def is_host(text: str) -> bool:
    """Return whether a text looks like a host: localhost, a name with a dot, an address, or HOST:PORT."""
    found = _HOST.fullmatch(text)
    return bool(found and (found[2] or "." in found[1] or found[1].lower() == "localhost" or text[0] == "["))


def is_misplaced(word: str) -> bool:
    """Return whether a word was probably meant as a target where it is another argument."""
    return is_target(word) or (is_host(word) and (":" in word or word == "localhost"))


def _parse(text: str) -> _Parsed:
    """Return the parts of a target."""
    if text.startswith("/"):
        return _Parsed(namespace=namespace_of(text))
    if text.startswith(_UNIX):
        return _of_socket(text)
    if _PORT.fullmatch(text):
        text = f"http://localhost{text}"
    elif is_host(text):
        text = f"{_scheme(text)}://{text}"
    parts = _split(text)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise UsageError(
            f"{masked(text)!r} is neither a namespace like /chat nor a URL like https://host/chat"
            " nor :3001/chat"
        )
    if parts.fragment:
        raise UsageError(f"{masked(text)!r}: remove '#' and the rest, which is never sent")
    # RFC 6874 writes the zone of an IPv6 address after %25.
    place = re.sub(r"%25(?=[^\]@]*\])", "%", parts.netloc)
    server = f"{_SCHEMES[parts.scheme]}://{place}"
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if "EIO" in dict(query) or _ENGINE_PATH.search(parts.path):
        return _Parsed(server, None, _of_request(parts.path, query))
    path = parts.path if parts.path not in ("", "/") else None
    return _Parsed(server, path and namespace_of(path), UrlOptions(query))


def _of_socket(text: str) -> _Parsed:
    """Return the parts of `unix:PATH` or `unix:PATH:/namespace`."""
    path, _, namespace = text.removeprefix(_UNIX).partition(":")
    if not path or "\0" in path:
        raise UsageError(f"{text!r:.80}: write it as unix:/run/app.sock or unix:/run/app.sock:/chat")
    return _Parsed("http://localhost", namespace_of(namespace) if namespace else None, UrlOptions(unix=path))


def require_tcp(unix: str | None, command: str) -> None:
    """Raise UsageError for a Unix socket, with which this command cannot work."""
    if unix is not None:
        raise UsageError(f"{command} needs a TCP address, not a unix: socket")


def names_path(text: str) -> bool:
    """Return whether a target is a URL with the HTTP path of Socket.IO in it."""
    return bool(_URL.match(text) and _ENGINE_PATH.search(_split(text).path))


def _of_request(path: str, pairs: tuple[tuple[str, str], ...]) -> UrlOptions:
    """Return the options for the URL of an Engine.IO request, as a browser's network panel shows it."""
    query = dict(pairs)
    transport, protocol = query.get("transport", ""), query.get("EIO", "")
    return UrlOptions(
        query=tuple(pair for pair in pairs if pair[0] not in _ENGINE_QUERY),
        path=unquote(path),
        transport=Transport(transport) if transport in ("websocket", "polling") else Transport.AUTO,
        protocol=Protocol(protocol) if protocol in ("3", "4") else Protocol.AUTO,
    )


def _scheme(host: str) -> str:
    """Return the scheme of a host that is given without one: https unless it is this machine."""
    found = _HOST.fullmatch(host)
    return "http" if found and _THIS_MACHINE.fullmatch(found[1]) else "https"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # its message repeats a part of the URL
        raise UsageError(f"{masked(text)!r} is not a URL: invalid host or port") from None
    return parts


def masked(word: str) -> str:
    """Return a word without the user and password, and without the query, of a URL or what should be one."""
    return _QUERY.sub(r"\1…", _USER.sub("…@", word))


def namespace_of(text: str) -> str:
    """Return a namespace, with a slash in front; a JSON string may have any characters.

    Raises: UsageError for an invalid name.
    """
    name = _json_text(text) or text
    if "," in name or "?" in name or not (name is not text or name.isprintable()):
        raise UsageError(
            f"{masked(text)!r} cannot be a namespace: no comma, no question mark, unprintable characters"
            " only as JSON"
        )
    return name if name.startswith("/") else f"/{name}"


def _json_text(text: str) -> str | None:
    if not text.startswith('"'):
        return None
    try:
        value = strict_json.load(text)
    except DecodeError:
        return None
    return value if isinstance(value, str) else None


def parse_auth(texts: Iterable[str], stdin: str | None = None) -> dict[str, Json] | None:
    """Return the payload of CONNECT from JSON objects, `key=value` and `key:=JSON` pairs; later keys win.

    `stdin` replaces the text `-`. Raises: UsageError.
    """
    payload: dict[str, Json] = {}
    for text in texts:
        payload.update(_auth(stdin if text == "-" else _file(text) if text.startswith("@") else text))
    return payload or None


def _auth(text: str | None) -> dict[str, Json]:
    text = (text or "").strip()
    if text.startswith("{"):
        try:
            return dict(strict_json.load(text))
        except DecodeError as error:
            raise UsageError(f"--auth: {error}") from None
    key, equals, value = text.partition("=")
    name = key.removesuffix(":")
    if not name or not equals:
        raise UsageError("--auth: use a JSON object, key=value, key:=JSON, @file or - for stdin")
    if name == key:
        return {key: _file(value).strip() if value.startswith("@") else value}
    try:
        return {name: strict_json.load(value)}
    except DecodeError as error:
        raise UsageError(f"--auth: {name}:= needs JSON: {error}") from None


def _file(text: str) -> str:
    try:
        with open(text[1:], encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"--auth: cannot read the file after @: {cause}") from None


def parse_headers(texts: Iterable[str]) -> dict[str, str]:
    """Return the headers of `Name: value` texts. Raises: UsageError."""
    headers = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not _HEADER.fullmatch(name) or not value.isprintable():
            raise UsageError("--header: write it as 'Name: value'")
        headers[name] = value.strip()
    return headers


def parse_pairs(option: str, texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of an option's `key=value` texts, in their order. Raises: UsageError."""
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"{option}: write it as key=value")
        pairs.append((key, value))
    return tuple(pairs)
