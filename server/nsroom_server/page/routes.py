"""Serve the page of the reference server, and its client for pages; nothing is loaded from elsewhere."""

import html
import json
from collections.abc import Sequence
from importlib.resources import files

from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy."""
CLIENT_NAMES = ("socket.io.js", "socket.io.min.js")
MODULE_NAMES = ("socket.io.esm.js", "socket.io.esm.min.js")
_EXPORTS = "\nexport {"
"""Where the client's module ends; a script has `window.io` instead."""
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="3" fill="#0a58ca"/>'
    '<path d="M4 12V4l8 8V4" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


def add_client(app: web.Application, endpoint: str) -> None:
    """Add the client for pages below the HTTP path of the server, as a script and as a module."""
    module = _read("client.js")
    code = module.partition(_EXPORTS)[0]
    script = f"(() => {{\n{code}\nglobalThis.io = io;\n}})();\n"
    for names, text in ((CLIENT_NAMES, script), (MODULE_NAMES, module)):
        for name in names:
            _add(app, f"{endpoint}{name}", "text/javascript", text)


def add_page(app: web.Application, endpoint: str, namespaces: Sequence[str], more: bool) -> None:
    """Add the page, for clients that accept HTML, with its parts; `more` lets one choose other namespaces."""
    names = list(namespaces) or ["/"]
    page = _read("index.html").format(
        path=html.escape(endpoint),
        namespaces=html.escape(json.dumps(names)),
        hidden="" if more else " hidden",
    )

    async def answer(request: web.Request) -> web.Response:
        if "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        return _response("text/html", page)

    app.router.add_get("/", answer)
    _add(app, "/page.css", "text/css", _read("page.css"))
    _add(app, "/page.js", "text/javascript", _read("page.js").replace("{endpoint}", endpoint))
    _add(app, "/favicon.ico", "image/svg+xml", _ICON)


def _read(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _add(app: web.Application, path: str, content_type: str, text: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return _response(content_type, text)

    app.router.add_get(path, answer)


def _response(content_type: str, text: str) -> web.Response:
    return web.Response(
        text=text,
        content_type=content_type,
        charset="utf-8",
        headers={
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )
