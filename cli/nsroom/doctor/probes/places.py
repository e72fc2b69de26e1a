"""Find where a server has Socket.IO: try the usual places, and read the page at the URL and its scripts.

What a page says is not believed: a path counts if Engine.IO answers there. Only the server itself is asked,
for a bounded number of scripts of bounded size.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import islice

from yarl import URL

from nsroom.client.target import Target
from nsroom.doctor.finding import namespace_word
from nsroom.doctor.probes.handshake import shake_hands
from nsroom.doctor.probes.http import HttpClient, NoResponse
from nsroom.output.shell import join
from nsroom.protocol.socketio import is_namespace

KNOWN_PATHS = (
    "/socket.io/",
    "/socket.io",
    "/ws/socket.io/",
    "/api/socket.io/",
    "/_nicegui_ws/socket.io/",
    "/_event/",
    "/browser-sync/socket.io/",
    "/api/realtime/",
    "/sio/",
    "/ws/",
    "/socket/",
    "/engine.io/",
)
_MAX_PAGE = 262_144
_MAX_SCRIPT = 2_000_000
"""Bytes of a script: bundles have a megabyte and more."""
_MAX_SCRIPTS = 12
_MAX_PATHS = 12
"""Paths in a page and its scripts to try."""
_MAX_CALLS = 500
"""Calls in a text to look at."""
_HINT_TIMEOUT = 1.0
"""Seconds that a hint may take."""
_NEAR = 400
"""Characters after a call of `io` in which its options are expected."""

_SCRIPT = re.compile(
    r"""<(?:script|link)\b[^<>]{0,500}?\b(?:src|href)\s{0,5}=\s{0,5}["']?([^"'\s>]{1,500})""", re.I
)
_CALL = re.compile(r"""\b(?:io(?:\.connect)?|connect|Manager)\(\s{0,20}(?:["'`]([^"'`]{0,200})["'`])?""")
_OPTION = re.compile(r"""\bpath["'`]?\s{0,5}:\s{0,5}["'`]([\w./~-]{1,100})["'`]""")
# A path, or the client that the server has for pages, `/ws/socket.io/socket.io.js`.
_LITERAL = re.compile(
    r"""["'`]([\w./~-]{0,80}socket\.io/?)(?:(?<=/)socket\.io[\w.]{0,20}\.js(?:\?[^"'`]{0,50})?)?["'`]"""
)

IsEngineIO = Callable[[str], Awaitable[bool]]
"""Return whether Engine.IO answers at a path."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where Socket.IO answers, and the namespace to connect to; None is that of the target."""

    path: str
    namespace: str | None = None

    def command(self, target: Target) -> str | None:
        """Return the command that connects, or None if it is not safe to paste."""
        namespaces = target.namespaces if self.namespace is None else (self.namespace,)
        words = [namespace_word(name) for name in namespaces if name != "/"]
        try:
            return join(["nsroom", "connect", target.place, *words, "--path", self.path])
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Clues:
    """What a page and its scripts say: paths that may be Socket.IO's, and namespaces."""

    paths: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    page: str | None = None
    """The path of the page."""


async def find_place(http: HttpClient, answers: IsEngineIO, timeout: float) -> Place | None:
    """Return where Socket.IO is, other than at the target's path, or None.

    `timeout` is for reading the page.
    """
    usual = asyncio.create_task(_first(_usual_paths(http), answers))
    try:
        try:
            async with asyncio.timeout(timeout):
                clues = await _read_clues(http)
        except TimeoutError:
            clues = Clues()
        path = await _first([each for each in clues.paths if each != http.path], answers) or await usual
        # The path of a page is not a namespace.
        default = "/" if clues.page == http.target.namespaces[0] else None
        return Place(path, next(iter(clues.namespaces), default)) if path else None
    finally:
        usual.cancel()
        await asyncio.gather(usual, return_exceptions=True)


def _usual_paths(http: HttpClient) -> list[str]:
    own = [f"{name.rstrip('/')}/socket.io/" for name in http.target.namespaces if name != "/"]
    paths = dict.fromkeys((http.path.rstrip("/"), *own, *KNOWN_PATHS))
    return [path for path in paths if path not in ("", http.path)]


async def _first(paths: Iterable[str], answers: IsEngineIO) -> str | None:
    """Return the path at which Engine.IO answers first, or None."""

    async def ask(path: str) -> str | None:
        return path if await answers(path) else None

    tasks = [asyncio.create_task(ask(path)) for path in paths]
    try:
        # A Node server does not answer at all at other paths, so the first hit ends the search.
        for task in asyncio.as_completed(tasks):
            if found := await task:
                return found
        return None
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_clues(http: HttpClient) -> Clues:
    """Read the page at the URL, or at /, and its scripts."""
    for path in dict.fromkeys((http.target.namespaces[0], "/")):
        page = await _read(http, path, _MAX_PAGE)
        if "<" in page:
            scripts = await asyncio.gather(
                *(_read(http, each, _MAX_SCRIPT) for each in script_paths(page, f"{http.target.url}{path}"))
            )
            return replace(clues_in([page, *scripts], http.target.url), page=path)
    return Clues()


async def _read(http: HttpClient, path: str, limit: int) -> str:
    """Return the text at a path, or an empty one."""
    try:
        response = await http.request("GET", {}, path=path, limit=limit)
    except NoResponse:
        return ""
    return response.text if response.status == 200 else ""


def script_paths(page: str, url: str) -> list[str]:
    """Return the paths of the scripts that a page loads from its own server."""
    paths: dict[str, None] = {}
    for found in _SCRIPT.finditer(page):
        place = _own(unescape(found[1]), url)
        if place is not None and place.path.endswith((".js", ".mjs", ".jsx", ".ts", ".tsx")):
            paths[place.path] = None
    return list(paths)[:_MAX_SCRIPTS]


def _own(text: str, url: str) -> URL | None:
    """Return a link of a page as a URL of its own server, or None."""
    try:
        place = URL(url).join(URL(text))
        return place if place.origin() == URL(url).origin() else None
    except ValueError:
        return None


def clues_in(texts: Sequence[str], url: str) -> Clues:
    """Return the clues in a page and its scripts."""
    paths: dict[str, None] = {}
    namespaces: dict[str, None] = {}
    for text in texts:
        for path in _paths_in(text):
            paths[f"/{path.strip('/')}/"] = None
        for call in _calls(text):
            place = _own(call[1] or "", url)
            if call[1] and place is not None and call[0].startswith("io") and is_namespace(place.path):
                namespaces[place.path] = None
    return Clues(tuple(paths)[:_MAX_PATHS], tuple(namespaces))


def _paths_in(text: str) -> Iterator[str]:
    """Yield what may be the option `path` of a client, the likely ones first."""
    yield from (found[1] for found in _LITERAL.finditer(text) if found[1].strip("/"))
    for call in _calls(text):
        yield from (found[1] for found in _OPTION.finditer(text, call.start(), call.end() + _NEAR))


def _calls(text: str) -> Iterator[re.Match[str]]:
    return islice(_CALL.finditer(text), _MAX_CALLS)


async def hint(target: Target) -> str | None:
    """Return the command that may connect where a connection found no Socket.IO, within about a second."""
    async with HttpClient(target) as http:

        async def answers(path: str) -> bool:
            return (await shake_hands(http, path, _HINT_TIMEOUT)).is_engineio

        try:
            async with asyncio.timeout(_HINT_TIMEOUT):
                place = await find_place(http, answers, _HINT_TIMEOUT / 2)
        except TimeoutError:
            return None
    return place.command(target) if place else None
