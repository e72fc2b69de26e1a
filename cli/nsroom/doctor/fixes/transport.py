"""Fixes for transports, proxies, load balancers, origins and limits."""

from nsroom.doctor.finding import Fix, Fixes, client, client_python, node, python, quoted

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
    """Pass WebSockets through nginx."""
    return Fix("nginx", _NGINX.format(path=_plain_path(path)))


def _plain_path(path: str) -> str:
    # The user may pass any path, but it must stay one word of the nginx configuration.
    return path if path.isascii() and not set(path) & set(" ;{}\"'\\$\n") else quoted(path)


def transports(only: str) -> Fixes:
    """Use a transport that client and server both have."""
    return (
        client(f'const socket = io(url, {{ transports: ["{only}"] }});'),
        client_python(f'await sio.connect(url, transports=["{only}"])'),
        node('const io = new Server(httpServer, { transports: ["polling", "websocket"] });'),
    )


def websocket(path: str) -> Fixes:
    """Pass the Upgrade header through the proxy."""
    return (
        nginx(path),
        Fix(
            "Apache",
            "RewriteEngine On\n"
            "RewriteCond %{HTTP:Upgrade} websocket [NC]\n"
            "RewriteRule ^/?(.*) ws://127.0.0.1:3000/$1 [P,L]",
        ),
        client('const socket = io(url, { transports: ["polling"] });    // until that is fixed'),
    )


def sticky(cookie: str | None = None) -> Fixes:
    """Send all requests of a session to the same server."""
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
        node(
            'import { setupMaster, setupWorker } from "@socket.io/sticky";    // with the module node:cluster'
        ),
        client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
    )


def buffering() -> Fixes:
    """Pass answers on without delay."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_cache off;\nproxy_request_buffering off;"),
        Fix("server, Python", "uvicorn app:app    # a server that handles requests concurrently"),
        client('const socket = io(url, { transports: ["websocket"] });'),
    )


def body_size(limit: int) -> Fixes:
    """Allow larger bodies, or announce a smaller limit."""
    return (
        Fix("nginx", f"client_max_body_size {limit // 1_000_000 + 1}m;"),
        node(
            "const io = new Server(httpServer, { maxHttpBufferSize: 1e6 });    // as much as the proxy allows"
        ),
    )


def payload(size: int) -> Fixes:
    """Accept larger packets."""
    return (
        node(f"const io = new Server(httpServer, {{ maxHttpBufferSize: {size * 2} }});"),
        python(f"sio = socketio.AsyncServer(max_http_buffer_size={size * 2})"),
    )


def cors(origin: str, credentials: bool) -> Fixes:
    """Allow pages of this origin."""
    more = ", credentials: true" if credentials else ""
    return (
        node(f"const io = new Server(httpServer, {{ cors: {{ origin: {quoted(origin)}{more} }} }});"),
        python(f"sio = socketio.AsyncServer(cors_allowed_origins=[{quoted(origin)}])"),
    )


def cors_twice() -> Fixes:
    """Set the header in one place only."""
    return (
        Fix(
            "nginx",
            "proxy_hide_header Access-Control-Allow-Origin;    # or remove add_header: only one may set it",
        ),
        python("sio = socketio.AsyncServer(cors_allowed_origins=[])    # if the framework sets the header"),
    )


def cors_headers(origin: str, names: list[str]) -> Fixes:
    """Allow these request headers."""
    allowed = ", ".join(quoted(name) for name in names)
    return (
        node(
            "const io = new Server(httpServer, {\n"
            f"  cors: {{ origin: {quoted(origin)}, allowedHeaders: [{allowed}] }},\n"
            "});"
        ),
    )


def heartbeat() -> Fixes:
    """Pass heartbeats through the proxy, more often."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_read_timeout 120s;"),
        node("const io = new Server(httpServer, { pingInterval: 25000, pingTimeout: 20000 });"),
    )


def idle(seconds: float) -> Fixes:
    """Keep idle connections open."""
    return (
        Fix("nginx", "proxy_read_timeout 120s;\nproxy_send_timeout 120s;"),
        Fix("HAProxy", "timeout tunnel 1h"),
        node(f"const io = new Server(httpServer, {{ pingInterval: {max(int(seconds * 500), 1000)} }});"),
    )
