"""Where a server has Socket.IO, when it is not at the usual path."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web

from nsroom.client.target import Target
from nsroom.doctor.probes.places import Clues, Place, clues_in, hint, script_paths
from tests.cli.scripted import listening
from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Runner

URL = "http://localhost:3000"


@pytest.mark.parametrize(
    ("page", "paths"),
    [
        ('<script src="/app.js"></script>', ["/app.js"]),
        ("<SCRIPT type=module src=app.js>", ["/app.js"]),
        ('<link rel="modulepreload" href="assets/a.mjs?v=1">', ["/assets/a.mjs"]),
        ('<script src="http://localhost:3000/a.js">', ["/a.js"]),
        ('<script src="https://cdn.example/socket.io.js"><script src="//cdn.example/a.js">', []),
        ('<script src="http://localhost:3001/a.js">', []),
        ('<link href="/style.css"><script>inline</script><script src="http://[">', []),
    ],
)
def test_scripts_of_the_server_itself(page: str, paths: list[str]) -> None:
    assert script_paths(page, f"{URL}/") == paths


def test_the_number_of_scripts_is_bounded() -> None:
    page = "".join(f'<script src="/{number}.js"></script>' for number in range(100))
    assert len(script_paths(page, URL)) == 12


@pytest.mark.parametrize(
    ("text", "paths", "namespaces"),
    [
        ('io("/chat", {path: "/ws/socket.io"})', ["/ws/socket.io/"], ["/chat"]),
        ('const s = io({ transports: ["websocket"], path: "/rt/" });', ["/rt/"], []),
        ("io.connect('http://localhost:3000/news?x=1', {'path': `/a/b`})", ["/a/b/"], ["/news"]),
        ('new e.Manager("",{path:"/mgr"})', ["/mgr/"], []),
        ('n="/_nicegui_ws/socket.io",x', ["/_nicegui_ws/socket.io/"], []),
        ('<script src="/browser-sync/socket.io/socket.io.js?v=3">', ["/browser-sync/socket.io/"], []),
        ('io("https://elsewhere.example/chat")', [], []),
        ('io("//elsewhere.example/chat")', [], []),
        ('cookie({path: "/"}); route({path: "/users"})', [], []),
        ("", [], []),
    ],
)
def test_clues(text: str, paths: list[str], namespaces: list[str]) -> None:
    assert clues_in([text], URL) == Clues(tuple(paths), tuple(namespaces))


@pytest.mark.parametrize(
    "text",
    [
        'io("/chat",' * 50_000,
        "path" + " " * 500_000,
        "<script " * 50_000,
        '"socket.io/' * 50_000,
        "io(" + "x" * 1_000_000,
    ],
)
def test_hostile_text_is_searched_quickly(text: str) -> None:
    start = time.monotonic()
    clues = clues_in([text], URL)
    script_paths(text, URL)
    assert len(clues.paths) <= 12
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("place", "command"),
    [
        (Place("/ws/socket.io/"), "nsroom connect http://localhost:3000 --path /ws/socket.io/"),
        (Place("/rt/", "/chat"), "nsroom connect http://localhost:3000 /chat --path /rt/"),
        (Place("/rt/", "/a b;$(id)"), "nsroom connect http://localhost:3000 '/a b;$(id)' --path /rt/"),
        (Place("/rt/", "/\x03"), r"""nsroom connect http://localhost:3000 '"/\u0003"' --path /rt/"""),
        (Place("/rt\n/"), None),
        (Place("/socket.io"), "nsroom connect http://localhost:3000 --path /socket.io"),
    ],
)
def test_the_command_is_safe_to_paste(place: Place, command: str | None) -> None:
    assert place.command(Target(url=URL)) == command


def site(texts: Mapping[str, str], socket_io: str) -> AbstractAsyncContextManager[str]:
    """Serve texts by path, and a handshake of Engine.IO at another path."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == socket_io:
            return web.json_response({"code": 0, "message": "Transport unknown"}, status=400)
        text = texts.get(request.path)
        return web.Response(status=404 if text is None else 200, text=text, content_type="text/html")

    return listening(answer)


PAGE = '<html><script src="/app.js"></script></html>'


@pytest.mark.parametrize(
    ("texts", "socket_io", "namespace", "words"),
    [
        ({}, "/_nicegui_ws/socket.io/", "/", "--path /_nicegui_ws/socket.io/"),
        ({}, "/_event/", "/chat", "/chat --path /_event/"),
        ({"/": PAGE, "/app.js": 'io("/chat",{path:"/rt"})'}, "/rt/", "/", "/chat --path /rt/"),
        ({"/app": PAGE, "/app.js": 'io({path:"/rt"})'}, "/rt/", "/app", "--path /rt/"),
        ({"/": PAGE, "/app.js": 'io("/chat")'}, "/ws/socket.io/", "/", "/chat --path /ws/socket.io/"),
    ],
)
async def test_a_hint(texts: Mapping[str, str], socket_io: str, namespace: str, words: str) -> None:
    async with site(texts, socket_io) as url:
        assert await hint(Target(url=url, namespaces=(namespace,))) == f"nsroom connect {url} {words}"


@pytest.mark.parametrize("peer", [bad.silent, bad.html, bad.closes, bad.garbage, bad.plain_websocket])
async def test_no_hint_within_about_a_second(peer: Callable[[], bad.Peer]) -> None:
    async with peer() as url:
        start = time.monotonic()
        assert await hint(Target(url=url)) is None
        assert time.monotonic() - start < 2


async def test_connect_names_the_place(nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--path", "/ws/socket.io/")
    result = await nsroom("connect", server.url)
    assert (result.code, result.stdout) == (3, "")
    assert result.stderr.endswith(f"; try: nsroom connect {server.url} --path /ws/socket.io/\n")
    found = await nsroom("connect", server.url, "--path", "/ws/socket.io/", "-C", "1")
    assert found.code == 0


async def test_connect_to_another_server_has_no_hint(nsroom: Runner) -> None:
    async with bad.html() as url:
        result = await nsroom("connect", url)
    assert result.code == 3
    assert "try:" not in result.stderr
