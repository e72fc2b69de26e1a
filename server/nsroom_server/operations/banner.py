"""The lines that `serve` prints when it is ready: what there is, and what to do next."""

from collections.abc import Iterator
from shlex import quote

from nsroom_server.settings import access
from nsroom_server.settings.config import DEFAULT_PORT, Config


def lines(config: Config, url: str, port: int) -> Iterator[str]:
    """Yield the lines that follow the one with the address."""
    if config.conformance:
        return
    others = ("any other",) if config.any_namespace else ()
    yield f"namespaces: {', '.join((*config.namespaces, *others))}; history: {_history(config)}"
    page = f", or open {url} in a browser" if config.page and config.endpoint != "/" else ""
    yield f"try: nsroom join {' '.join((*_target(config, url, port), 'lobby', *_options(config)))}{page}"


def _history(config: Config) -> str:
    if config.redis and config.keep_messages:
        return "in Redis"
    return str(config.history) if config.history else "none"


def _target(config: Config, url: str, port: int) -> tuple[str, ...]:
    """Return the target of a command, as short as it may be."""
    namespace = "/" if config.any_namespace or "/" in config.namespaces else config.namespaces[0]
    suffix = "" if namespace == "/" else namespace
    is_here = access.is_loopback(config.host) or config.host in ("0.0.0.0", "::")
    if config.scheme == "http" and is_here:
        url = "" if port == DEFAULT_PORT else f":{port}"
    return (quote(url + suffix),) if url or suffix else ()


def _options(config: Config) -> Iterator[str]:
    if config.endpoint != "/socket.io/":
        yield f"--path {config.endpoint}"
    if config.token:
        yield "-a token=TOKEN"
