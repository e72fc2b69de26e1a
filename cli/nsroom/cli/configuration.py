"""The configuration: the user's `config.toml`, and the `.nsroom.toml` of a project.

Both have the same form: `[defaults]` and `[servers.NAME]` with the connection options by their long names,
`[keys]` and `theme`. The project's values beat the user's. A project's file is often shared with others, so
it must not have secrets in it.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from nsroom.client.target import AuthCommand, masked
from nsroom.errors import UsageError
from nsroom.folders import config_folder
from nsroom.lazy import compile_lazily

PROJECT_FILE = ".nsroom.toml"
MAX_SIZE = 1_000_000
"""Bytes of a file."""
SERVER_NAME = compile_lazily(r"[A-Za-z][\w-]{0,63}")

_TEXT = frozenset(
    ("url", "preset", "path", "transport", "protocol", "parser", "cacert", "cert", "key", "auth-command")
)
_TEXTS = frozenset(("namespace", "auth", "header", "cookie", "query", "resolve"))
_SWITCHES = frozenset(("insecure", "no-reconnect"))
_NUMBERS = frozenset(("connect-timeout",))
OPTIONS = _TEXT | _TEXTS | _SWITCHES | _NUMBERS
"""The options that `[defaults]` and `[servers.NAME]` may have."""
_FILES = frozenset(("cacert", "cert", "key"))
_SECRET = compile_lazily(r"auth|cookie|token|secret|passw|key|session|credential", re.I)

Values = Mapping[str, Any]
"""Options by their long names: text, a list of texts, a boolean or a number."""


class Configuration(NamedTuple):
    """What the files say; empty without any."""

    defaults: Mapping[str, Any] = {}
    servers: Mapping[str, Values] = {}
    theme: str | None = None
    keys: Mapping[str, Any] = {}
    origins: Mapping[str, Path] = {}
    """The file that names a server last."""

    def options(self, server: str | None = None) -> Values:
        """Return the options for this server, or the defaults. Raises: UsageError for an unknown server."""
        if server is None:
            return self.defaults
        if server not in self.servers:
            raise UsageError(self.explain_unknown(server))
        return {**self.defaults, **self.servers[server]}

    def server_of(self, text: str) -> tuple[str, str] | None:
        """Return the server and the namespace that `staging` or `staging/chat` names, or None."""
        name, slash, namespace = text.partition("/")
        return (name, slash + namespace) if name in self.servers else None

    def nearest(self, text: str) -> str | None:
        """Return `text` with the server's name that it may be meant as, or None."""
        name, slash, namespace = text.partition("/")
        close = _nearest(name, self.servers)
        return close and close + slash + namespace

    def explain_unknown(self, server: str) -> str:
        """Return what to do about a name that the configuration does not have."""
        if close := _nearest(server, self.servers):
            return f"unknown server {server!r}; did you mean {close}?"
        if self.servers:
            return f"unknown server {server!r}; `nsroom servers` lists those in the configuration"
        if not SERVER_NAME.fullmatch(server):
            return f"{masked(server)!r} is neither a URL nor the name of a server in the configuration"
        return f"unknown server {server!r}: add [servers.{server}] with its url to {user_file()}"


def user_file() -> Path:
    """Return the path of the user's file, which need not exist."""
    return config_folder() / "config.toml"


def project_file() -> Path | None:
    """Return the nearest `.nsroom.toml`, in the current folder or above it."""
    try:
        folder = Path.cwd()
    except OSError:  # the current folder was removed
        return None
    return next((file for each in (folder, *folder.parents) if (file := each / PROJECT_FILE).is_file()), None)


def load() -> Configuration:
    """Read both files. Raises: UsageError with the file and the setting."""
    user = _read(user_file(), shared=False)
    project = project_file()
    return user if project is None else _merge(user, _read(project, shared=True))


def _merge(user: Configuration, project: Configuration) -> Configuration:
    names = {**user.servers, **project.servers}
    servers = {name: {**user.servers.get(name, {}), **project.servers.get(name, {})} for name in names}
    return Configuration(
        {**user.defaults, **project.defaults},
        servers,
        project.theme or user.theme,
        {**user.keys, **project.keys},
        {**user.origins, **project.origins},
    )


def _read(file: Path, shared: bool) -> Configuration:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_SIZE + 1)
        import tomllib

        if len(data) > MAX_SIZE:
            raise ValueError(f"larger than {MAX_SIZE} bytes")
        return _parse(tomllib.loads(data.decode("utf-8")), file, shared)
    except FileNotFoundError:
        return Configuration()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: {error}") from None


def _parse(document: dict[str, Any], file: Path, shared: bool) -> Configuration:
    for name in document.keys() - {"defaults", "servers", "keys", "theme"}:
        raise ValueError(f"unknown setting {name!r}; use theme, [defaults], [servers.NAME] and [keys]")
    tables = _table(document, "servers")
    for name in tables:
        if not SERVER_NAME.fullmatch(name):
            raise ValueError(f"servers.{name}: a name has letters, digits, - and _, and starts with a letter")
    servers = {name: dict(_options(tables, name, f"servers.{name}", file, shared)) for name in tables}
    defaults = dict(_options(document, "defaults", "defaults", file, shared))
    theme = document.get("theme")
    if theme is not None and not isinstance(theme, str):
        raise ValueError("theme must be text")
    return Configuration(defaults, servers, theme, _table(document, "keys"), dict.fromkeys(servers, file))


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} must be a table: [{name}]")
    return table


def _options(
    values: dict[str, Any], name: str, title: str, file: Path, shared: bool
) -> Iterator[tuple[str, Any]]:
    for option, value in _table(values, name).items():
        if option not in OPTIONS:
            close = _nearest(option, OPTIONS)
            raise ValueError(
                f"{title}.{option}: unknown option" + (f"; did you mean {close}?" if close else "")
            )
        found = _checked(option, value, f"{title}.{option}")
        if shared and (secret := _secret(option, found)):
            raise ValueError(f"{title}.{option}: {secret}; this file is for the whole project")
        yield option, _located(option, found, file.parent)


def _nearest(name: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, 1, 0.5)), None)


def _checked(option: str, value: Any, title: str) -> Any:
    """Return the value of an option, lists of texts always as a list. Raises: ValueError."""
    if option in _SWITCHES:
        if not isinstance(value, bool):
            raise ValueError(f"{title} must be true or false")
        return value
    if option in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 1e6:
            raise ValueError(f"{title} must be a number of seconds, at least 0.1")
        return float(value)
    if option in _TEXTS:
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{title} must be text or a list of texts")
        return texts
    text = str(value) if option == "protocol" and isinstance(value, int) else value
    if not isinstance(text, str):
        raise ValueError(f"{title} must be text")
    return text


def _secret(option: str, value: Any) -> str | None:
    """Return what to do about a plain secret in the value of an option."""
    if option == "auth" and not all(text.startswith("@") for text in value):
        return "a secret: put it into a file and write @FILE, or use auth-command"
    if option == "cookie":
        return "a secret: give it with --cookie, or in your own configuration"
    if option in ("header", "query") and any(_SECRET.search(name_in(text)) for text in value):
        return "a secret: use auth with @FILE or auth-command, or your own configuration"
    if option == "url" and urlsplit(value).password:
        return "a password: use auth with @FILE or auth-command, or your own configuration"
    return None


def name_in(text: str) -> str:
    """Return the name in a header, a cookie or a query parameter, in lower case."""
    return re.split("[:=]", text, maxsplit=1)[0].strip().lower()


def _located(option: str, value: Any, folder: Path) -> Any:
    """Return the value with the paths of files as seen from the folder of the configuration."""
    if option == "auth":
        return [f"@{_path(text[1:], folder)}" if text.startswith("@") else text for text in value]
    if option == "auth-command":
        return AuthCommand(value, str(folder))
    return _path(value, folder) if option in _FILES else value


def _path(text: str, folder: Path) -> str:
    return os.path.join(folder, os.path.expanduser(text))
