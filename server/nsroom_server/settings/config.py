"""The server's configuration, checked when it is made."""

import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from nsroom_server.errors import ConfigError
from nsroom_server.settings import access
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits

NAMESPACES = ("/", "/my-namespace", "/chat", "/lab")
TRANSPORTS = ("polling", "websocket")
DEFAULT_PORT = 3000
_LONGEST_RECOVERY = 3600
_CONFORMANCE_TIMEOUT = 1.0
_PATH = re.compile(r"[\w.~/-]*")


class LogFormat(StrEnum):
    """The format of log lines."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """The credentials for /admin, and whether its commands are allowed."""

    user: str
    password: str = field(repr=False)
    write: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The reference server's configuration; times in seconds, sizes in bytes.

    Raises: ConfigError.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 picks a free port."""
    path: str = "/socket.io/"
    namespaces: tuple[str, ...] = NAMESPACES
    any_namespace: bool = False
    history: Path | None = None
    """The file to keep messages in; without it they are numbered but not kept."""
    redis: str | None = field(default=None, repr=False)
    """The URL of the Redis that connects several servers and keeps their messages. May contain a password."""
    keep_messages: bool = True
    """Whether Redis keeps messages; if not, they are only numbered."""
    token: str | None = field(default=None, repr=False)
    """The token that clients must send as `{"token": …}` with their CONNECT."""
    cors_origins: tuple[str, ...] = ()
    """Origins to accept in addition to the server's own; `*` accepts any."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names to accept in addition to its address and the names of this machine; `*` accepts any."""
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    max_payload: int = 1_000_000
    recovery: float = 0.0
    """How long a client whose connection is lost can be recovered; 0 turns recovery off."""
    limits: Limits = Limits()  # noqa: RUF009 - frozen, and the same for all
    faults: Faults = Faults()  # noqa: RUF009
    """Faults to have on purpose."""
    transports: tuple[str, ...] = TRANSPORTS
    tls_cert: Path | None = None
    tls_key: Path | None = None
    drain: float = 5.0
    admin: Administrator | None = None
    log_format: LogFormat = LogFormat.TEXT
    insecure: bool = False
    """Allow other machines to connect without a token."""
    greeting: bool = True
    """Emit `hi` to the namespace of each new client."""
    page: bool = True
    """Answer browsers with a page."""
    conformance: bool = False
    """Serve the application of the protocol test suites instead of the chat."""

    def __post_init__(self) -> None:
        for check in _CHECKS:
            check(self)

    @property
    def scheme(self) -> str:
        """`https` with a certificate, else `http`."""
        return "https" if self.tls_cert else "http"

    @property
    def endpoint(self) -> str:
        """The HTTP path with a slash at both ends."""
        inner = self.path.strip("/")
        return f"/{inner}/" if inner else "/"

    @property
    def all_limits(self) -> dict[str, int | float]:
        """All limits in force, by name."""
        return {
            "max_payload": self.max_payload,
            "ping_interval": self.ping_interval,
            "ping_timeout": self.ping_timeout,
            **asdict(self.effective_limits),
        }

    @property
    def effective_limits(self) -> Limits:
        """The limits; with --conformance, the time-out that the test suites expect."""
        return replace(self.limits, connect_timeout=_CONFORMANCE_TIMEOUT) if self.conformance else self.limits

    @property
    def accepted_hosts(self) -> tuple[str, ...]:
        """The host names to accept: any, unless only this machine can connect."""
        if self.allowed_hosts or access.is_loopback(self.host):
            return tuple(name.lower() for name in self.allowed_hosts)
        return ("*",)

    def connect_refusal(self, namespace: str, auth: Any) -> Any:
        """Return the payload that refuses a CONNECT, or None to accept."""
        return access.connect_refusal(namespace, auth, self.token, self.namespaces, self.any_namespace)


def _check_address(config: Config) -> None:
    if not 0 <= config.port <= 65535:
        raise ConfigError(f"port {config.port}: must be 0 to 65535")
    if not _PATH.fullmatch(config.path):
        raise ConfigError(f"path {config.path!r}: use only letters, digits and - . _ ~ /")


def _check_namespaces(config: Config) -> None:
    if not config.namespaces and not config.any_namespace:
        raise ConfigError("no namespace: name one with --namespace, or accept all with --any-namespace")
    for namespace in config.namespaces:
        if not access.is_namespace(namespace):
            raise ConfigError(f"namespace {namespace!r}: write /name, printable, without a comma")


def _check_numbers(config: Config) -> None:
    for name in ("ping_interval", "ping_timeout", "max_payload"):
        if not 0 < getattr(config, name) < 2**31:
            raise ConfigError(f"{name.replace('_', '-')} {getattr(config, name)}: must be more than 0")
    if not 0 <= config.recovery <= _LONGEST_RECOVERY:
        raise ConfigError(f"recovery {config.recovery:g}: must be 0 to {_LONGEST_RECOVERY} seconds")
    if config.faults.forget and not config.recovery:
        raise ConfigError("fault forget: there is nothing to forget without --recovery")
    if not 0 <= config.drain < 2**31:
        raise ConfigError(f"drain {config.drain}: must be 0 or more")


def _check_transports(config: Config) -> None:
    unknown = set(config.transports) - set(TRANSPORTS)
    if unknown or not config.transports:
        raise ConfigError(f"transports {','.join(config.transports)!r}: choose polling, websocket or both")


def _check_access(config: Config) -> None:
    if config.admin and not (config.admin.user and config.admin.password):
        raise ConfigError("an administrator needs a name and a password")
    if config.token == "":
        raise ConfigError("the token is empty")
    if config.tls_key and not config.tls_cert:
        raise ConfigError("a TLS key without a certificate: add --tls-cert")
    if not (config.token or config.insecure or access.is_loopback(config.host)):
        raise ConfigError(
            f"{config.host} can be reached from elsewhere: set --token, or accept everyone with --insecure"
        )


def _check_origins(config: Config) -> None:
    for origin in config.cors_origins:
        if origin not in ("*", "null") and not access.is_origin(origin):
            sent = access.nearest_origin(origin)
            raise ConfigError(f"cors-origin {origin}: browsers send {sent}, so write that")


def _check_redis(config: Config) -> None:
    if config.redis is not None and not config.redis.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError("the URL of Redis: write redis://HOST:PORT, rediss:// for TLS, or unix:///PATH")
    if config.redis and config.history:
        raise ConfigError(f"history {config.history}: with Redis the messages are kept there")


_CHECKS = (
    _check_address,
    _check_namespaces,
    _check_numbers,
    _check_transports,
    _check_access,
    _check_origins,
    _check_redis,
)
