"""What to do about proxies, balancers, origins and limits."""

from typing import TYPE_CHECKING

from nsroom.doctor.finding import Fix, Fixes, client, client_python, node, python, quoted

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
    """Let WebSockets through nginx."""
    return Fix("nginx", _NGINX.format(path=_plain_path(path)))


def _plain_path(path: str) -> str:
    # The path is the user's own, but has to be one word of nginx's language.
    return path if path.isascii() and not set(path) & set(" ;{}\"'\\$\n") else quoted(path)


def transports(only: str) -> Fixes:
    """Let client and server agree on a transport."""
    return (
        client(f'const socket = io(url, {{ transports: ["{only}"] }});'),
        client_python(f'await sio.connect(url, transports=["{only}"])'),
        node('const io = new Server(httpServer, { transports: ["polling", "websocket"] });'),
    )


def websocket(examination: "Examination") -> Fixes:
    """Let the Upgrade header through."""
    return (
        nginx(examination.exchange.path),
        Fix(
            "Apache",
            "RewriteEngine On\n"
            "RewriteCond %{HTTP:Upgrade} websocket [NC]\n"
            "RewriteRule ^/?(.*) ws://127.0.0.1:3000/$1 [P,L]",
        ),
        client('const socket = io(url, { transports: ["polling"] });    // until that is done'),
    )


def sticky(cookie: str | None = None) -> Fixes:
    """Send a session's requests to one server."""
    if cookie:
        return (
            client("const socket = io(url, { withCredentials: true });    // so that the cookie is sent"),
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
        node('import { setupMaster, setupWorker } from "@socket.io/sticky";    // for the module cluster'),
        client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
    )


def buffering() -> Fixes:
    """Let an answer through at once."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_cache off;\nproxy_request_buffering off;"),
        Fix("server, Python", "uvicorn app:app    # a server that answers several requests at the same time"),
        client('const socket = io(url, { transports: ["websocket"] });'),
    )


def body_size(limit: int) -> Fixes:
    """Let larger bodies through."""
    return (
        Fix("nginx", f"client_max_body_size {limit // 1_000_000 + 1}m;"),
        node(
            "const io = new Server(httpServer, { maxHttpBufferSize: 1e6 });    // what the proxy lets through"
        ),
    )


def payload(size: int) -> Fixes:
    """Take larger packets."""
    return (
        node(f"const io = new Server(httpServer, {{ maxHttpBufferSize: {size * 2} }});"),
        python(f"sio = socketio.AsyncServer(max_http_buffer_size={size * 2})"),
    )


def cors(origin: str, credentials: bool) -> Fixes:
    """Let a page of this origin in."""
    more = ", credentials: true" if credentials else ""
    return (
        node(f"const io = new Server(httpServer, {{ cors: {{ origin: {quoted(origin)}{more} }} }});"),
        python(f"sio = socketio.AsyncServer(cors_allowed_origins=[{quoted(origin)}])"),
    )


def cors_twice() -> Fixes:
    """Let one of two set the header."""
    return (
        Fix(
            "nginx",
            "proxy_hide_header Access-Control-Allow-Origin;    # or leave out add_header: one sets it",
        ),
        python("sio = socketio.AsyncServer(cors_allowed_origins=[])    # where the framework sets it"),
    )


def cors_headers(origin: str, names: list[str]) -> Fixes:
    """Let these headers pass the preflight."""
    allowed = ", ".join(quoted(name) for name in names)
    return (
        node(
            "const io = new Server(httpServer, {\n"
            f"  cors: {{ origin: {quoted(origin)}, allowedHeaders: [{allowed}] }},\n"
            "});"
        ),
    )


def heartbeat() -> Fixes:
    """Let heartbeats through."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_read_timeout 120s;"),
        node("const io = new Server(httpServer, { pingInterval: 25000, pingTimeout: 20000 });"),
    )


def idle(seconds: float) -> Fixes:
    """Keep an idle connection from being cut."""
    return (
        Fix("nginx", "proxy_read_timeout 120s;\nproxy_send_timeout 120s;"),
        Fix("HAProxy", "timeout tunnel 1h"),
        node(f"const io = new Server(httpServer, {{ pingInterval: {max(int(seconds * 500), 1000)} }});"),
    )
