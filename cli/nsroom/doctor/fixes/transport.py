"""Fixes for proxies, load balancers, CORS and limits."""

from typing import TYPE_CHECKING

from nsroom.doctor.finding import Fix, Fixes, client, client_python, node, python, quoted, quoted_python

if TYPE_CHECKING:
    from nsroom.doctor.examination import Examination


_NGINX = """\
location {path} {{
    proxy_pass http://127.0.0.1:3000;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_buffering off;
    proxy_read_timeout 120s;
}}"""


def nginx(path: str) -> Fix:
    """Return the nginx configuration for WebSockets."""
    return Fix("nginx", _NGINX.format(path=_plain_path(path)))


def _plain_path(path: str) -> str:
    # The user's path must be a single word in nginx's syntax.
    return (
        path if path.isascii() and path.isprintable() and not set(path) & set(" ;{}\"'\\$") else quoted(path)
    )


def transports(only: str) -> Fixes:
    """Return fixes that make client and server agree on a transport."""
    return (
        client(f'const socket = io(url, {{ transports: ["{only}"] }});'),
        client_python(f'await sio.connect(url, transports=["{only}"])'),
        node('const io = new Server(httpServer, { transports: ["polling", "websocket"] });'),
    )


def websocket(examination: "Examination") -> Fixes:
    """Return fixes for a proxy that drops the Upgrade header."""
    return (
        nginx(examination.http.path),
        Fix(
            "Apache",
            "RewriteEngine On\n"
            "RewriteCond %{HTTP:Upgrade} websocket [NC]\n"
            "RewriteRule ^/?(.*) ws://127.0.0.1:3000/$1 [P,L]",
        ),
        client('const socket = io(url, { transports: ["polling"] });    // until the proxy is fixed'),
    )


def sticky(cookie: str | None = None) -> Fixes:
    """Return fixes that send all requests of a session to the same server."""
    if cookie:
        return (
            client("const socket = io(url, { withCredentials: true });    // sends the cookie"),
            client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
        )
    return (
        Fix(
            "nginx", "upstream nodes {\n    ip_hash;\n    server 10.0.0.1:3000;\n    server 10.0.0.2:3000;\n}"
        ),
        Fix(
            "HAProxy",
            "backend nodes\n    cookie SERVERID insert indirect nocache\n    server a 10.0.0.1:3000 cookie a",
        ),
        node('import { setupMaster, setupWorker } from "@socket.io/sticky";    // for the cluster module'),
        client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
    )


def buffering() -> Fixes:
    """Return fixes for responses that are buffered, cached or delayed."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_cache off;\nproxy_request_buffering off;"),
        python("uvicorn app:app    # a server that handles several requests at the same time"),
        client('const socket = io(url, { transports: ["websocket"] });'),
    )


def body_size(limit: int) -> Fixes:
    """Return fixes for a proxy that refuses large bodies."""
    return (
        Fix("nginx", f"client_max_body_size {limit // 1_000_000 + 1}m;"),
        node(
            "const io = new Server(httpServer, { maxHttpBufferSize: 1e6 });    // at most the proxy's limit"
        ),
    )


def lost_body() -> Fixes:
    """Return fixes for polling requests that are answered with 200 and then lost."""
    return (
        client('const socket = io(url, { transports: ["websocket"] });    // only polling is affected'),
        python("# python-engineio on aiohttp reads only the first part of a body: use ASGI or WSGI"),
        Fix("proxy", "let it forward whole bodies, and answer with the status of the server"),
    )


def payload(size: int) -> Fixes:
    """Return fixes for packets that are too large for the server."""
    return (
        node(f"const io = new Server(httpServer, {{ maxHttpBufferSize: {size * 2} }});"),
        python(f"sio = socketio.AsyncServer(max_http_buffer_size={size * 2})"),
    )


def cors(origin: str, credentials: bool) -> Fixes:
    """Return fixes that allow a page's origin."""
    more = ", credentials: true" if credentials else ""
    if origin == "null":
        return _null_origin(more)
    return (
        node(f"const io = new Server(httpServer, {{ cors: {{ origin: {quoted(origin)}{more} }} }});"),
        python(f"sio = socketio.AsyncServer(cors_allowed_origins=[{quoted_python(origin)}])"),
    )


def _null_origin(more: str) -> Fixes:
    """Return fixes for a page without an origin."""
    return (
        Fix(
            "page",
            "serve it over https://, or add allow-same-origin to its sandbox: then it has an origin",
        ),
        node(
            f'const io = new Server(httpServer, {{ cors: {{ origin: ["null"]{more} }} }});'
            "\n// accepts every local or sandboxed page"
        ),
        python('sio = socketio.AsyncServer(cors_allowed_origins=["null"])    # the same'),
    )


def cors_twice(header: str) -> Fixes:
    """Return fixes for a CORS header that is sent twice."""
    return (
        Fix(
            "nginx",
            f"proxy_hide_header {header};    # or remove add_header: only one may set it",
        ),
        python("sio = socketio.AsyncServer(cors_allowed_origins=[])    # if the framework sets it"),
    )


def cors_headers(origin: str, names: list[str]) -> Fixes:
    """Return the fix that allows these request headers."""
    allowed = ", ".join(quoted(name) for name in names)
    return (
        node(
            "const io = new Server(httpServer, {\n"
            f"  cors: {{ origin: {quoted(origin)}, allowedHeaders: [{allowed}] }},\n"
            "});"
        ),
    )


def heartbeat() -> Fixes:
    """Return fixes for heartbeats that are late or do not arrive."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_read_timeout 120s;"),
        node("const io = new Server(httpServer, { pingInterval: 25000, pingTimeout: 20000 });"),
    )


def idle(seconds: float) -> Fixes:
    """Return fixes for idle connections that are closed after `seconds`."""
    return (
        Fix("nginx", "proxy_read_timeout 120s;\nproxy_send_timeout 120s;"),
        Fix("HAProxy", "timeout tunnel 1h"),
        node(f"const io = new Server(httpServer, {{ pingInterval: {max(int(seconds * 500), 1000)} }});"),
    )
