"""The texts to paste. What a server sent stands in them only quoted for the language around it."""

import shlex
from typing import TYPE_CHECKING

from nsroom.doctor.finding import Fix, quoted

if TYPE_CHECKING:
    from nsroom.doctor.examination import Examination

Fixes = tuple[Fix, ...]

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


def _node(text: str) -> Fix:
    return Fix("server, Node", text)


def _python(text: str) -> Fix:
    return Fix("server, Python", text)


def _client(text: str) -> Fix:
    return Fix("client, JavaScript", text)


def _client_python(text: str) -> Fix:
    return Fix("client, Python", text)


def _shell(text: str) -> Fix:
    return Fix("shell", text)


def nginx(path: str) -> Fix:
    """Let WebSockets through nginx."""
    return Fix("nginx", _NGINX.format(path=_plain_path(path)))


def _plain_path(path: str) -> str:
    # The path is the user's own, but has to be one word of nginx's language.
    return path if path.isascii() and not set(path) & set(" ;{}\"'\\$\n") else quoted(path)


def look_up(host: str) -> Fix:
    """Ask the name server."""
    return _shell(f"getent hosts {shlex.quote(host)} || nslookup {shlex.quote(host)}")


def listen(port: int | str, refused: bool) -> Fixes:
    """See who listens, and on which address."""
    seen = _shell(f"ss -ltnp 'sport = :{port}'    # on the server: who listens, and on which address?")
    if not refused:
        return (seen,)
    return (
        seen,
        _node(f'httpServer.listen({port}, "0.0.0.0");    // in a container: not only on 127.0.0.1'),
        Fix("Docker", f"docker run -p {port}:{port} IMAGE"),
    )


def every_address() -> Fix:
    """Listen for IPv6 and IPv4 both."""
    return _node('httpServer.listen(PORT, "::");    // both families; or take the dead address out of DNS')


def renew(host: str) -> Fixes:
    """Have a new certificate."""
    name = f" --cert-name {shlex.quote(host)}" if host else ""
    return (_shell(f"certbot renew{name} --force-renewal && systemctl reload nginx"),)


def self_signed() -> Fixes:
    """Trust a certificate that nobody else vouches for."""
    return (
        _shell("nsroom doctor … --cacert cert.pem    # or -k, to look at the rest"),
        _client('const socket = io(url, { ca: fs.readFileSync("cert.pem") });    // Node'),
        _client_python(
            'ssl_context = ssl.create_default_context(cafile="cert.pem")\n'
            "http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_context))\n"
            "sio = socketio.AsyncClient(http_session=http)"
        ),
    )


def other_host(host: str) -> Fixes:
    """Use a name that the certificate has."""
    return (
        _shell(f"certbot certonly -d {shlex.quote(host)}    # or connect by a name that the certificate has"),
    )


def chain(host: str) -> Fixes:
    """Send the whole chain."""
    return (
        Fix("nginx", "ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem;    # not cert.pem"),
        _shell(f"openssl s_client -connect {shlex.quote(host)}:443 -showcerts </dev/null"),
        _shell("nsroom doctor … --cacert authority.pem    # where the authority is your own"),
    )


def other_port() -> Fixes:
    """Look at what the port speaks."""
    return (_shell("curl -v URL    # is it the port of HTTPS?"),)


def use_url(url: str) -> Fixes:
    """Use the other scheme."""
    return (
        _client(f"const socket = io({quoted(url)});"),
        _client_python(f"await sio.connect({quoted(url)})"),
        _shell(f"nsroom doctor {shlex.quote(url)}"),
    )


def stuck(examination: "Examination") -> Fixes:
    """Find out why nothing is answered."""
    url = shlex.quote(f"{examination.target.place}{examination.exchange.path}?EIO=4&transport=polling")
    return (
        _shell(f"curl -v {url}"),
        _node("io.attach(httpServer);    // the very server that listens"),
    )


def log_in() -> Fixes:
    """Go past what wants a log-in."""
    return (
        _shell("nsroom doctor … --cookie NAME=VALUE    # that of a browser that has logged in"),
        Fix("nginx", "location /socket.io/ { auth_request off; }    # or let Socket.IO past the log-in"),
    )


def moved(url: str, path: str) -> Fixes:
    """Go where the server is now."""
    return (
        _client(f"const socket = io({quoted(url)}, {{ path: {quoted(path)} }});"),
        _client_python(f"await sio.connect({quoted(url)}, socketio_path={quoted(path)})"),
        _shell(f"nsroom doctor {shlex.quote(url)} --path {shlex.quote(path)}"),
    )


def path(examination: "Examination", found: str) -> Fixes:
    """Use the path that answers."""
    return moved(examination.target.place, found)


def no_slash(found: str) -> Fixes:
    """Leave the slash out."""
    return (
        _client(f"const socket = io(url, {{ path: {quoted(found)}, addTrailingSlash: false }});"),
        _node("const io = new Server(httpServer, { addTrailingSlash: true });"),
    )


def plain_websocket(examination: "Examination") -> Fixes:
    """Speak plain WebSocket."""
    url = "ws" + examination.target.place.removeprefix("http")
    return (
        _client(f"const socket = new WebSocket({quoted(url)});    // instead of io(…)"),
        _node('import { Server } from "socket.io";    // instead of the package ws'),
    )


def attach() -> Fixes:
    """Have a Socket.IO server there."""
    return (
        _node(
            'import { createServer } from "node:http";\n'
            "const httpServer = createServer(app);\n"
            "const io = new Server(httpServer);\n"
            "httpServer.listen(3000);    // not app.listen(3000), which makes another server"
        ),
        _python('app = socketio.ASGIApp(sio, other_app)    # socketio_path="socket.io" is where it answers'),
        Fix(
            "nginx",
            "location /socket.io/ { proxy_pass http://127.0.0.1:3000; }    # with the path, no rewrite",
        ),
    )


def serverless() -> Fixes:
    """Run it where processes stay."""
    return (
        Fix(
            "hosting",
            "Run the Socket.IO server as a process that stays: a VM, a container, Fly.io, Render, Railway.",
        ),
        _client('const socket = io("https://socket.example.org");    // that server, not the functions'),
    )


def forbidden() -> Fixes:
    """Send what the server asks for, or let it ask for less."""
    return (
        _shell("nsroom doctor … -H 'Authorization: Bearer TOKEN'    # or --cookie, --query, --origin"),
        _client('const socket = io(url, { extraHeaders: { Authorization: "Bearer TOKEN" } });'),
        _node(
            "const io = new Server(httpServer, {\n"
            "  allowRequest: (req, done) => done(null, isAllowed(req)),    // this says no\n"
            "});"
        ),
    )


def gateway(status: int) -> Fixes:
    """Start what the proxy waits for."""
    if status == 429:
        return (Fix("proxy", "exempt /socket.io/ from rate limiting: a polling client asks all the time"),)
    return (
        _shell(
            "curl -v 'http://127.0.0.1:3000/socket.io/?EIO=4&transport=polling'    # on the server itself"
        ),
        Fix("nginx", "proxy_pass http://127.0.0.1:3000;    # the port that the application listens on"),
    )


def transports(only: str) -> Fixes:
    """Let client and server agree on a transport."""
    return (
        _client(f'const socket = io(url, {{ transports: ["{only}"] }});'),
        _client_python(f'await sio.connect(url, transports=["{only}"])'),
        _node('const io = new Server(httpServer, { transports: ["polling", "websocket"] });'),
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
        _client('const socket = io(url, { transports: ["polling"] });    // until that is done'),
    )


def sticky(cookie: str | None = None) -> Fixes:
    """Send a session's requests to one server."""
    if cookie:
        return (
            _client("const socket = io(url, { withCredentials: true });    // so that the cookie is sent"),
            _client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
        )
    return (
        Fix(
            "nginx", "upstream nodes {\n    ip_hash;\n    server 10.0.0.1:3000;\n    server 10.0.0.2:3000;\n}"
        ),
        Fix(
            "HAProxy",
            "backend nodes\n    cookie SERVERID insert indirect nocache\n    server a 10.0.0.1:3000 cookie a",
        ),
        _node('import { setupMaster, setupWorker } from "@socket.io/sticky";    // for the module cluster'),
        _client('const socket = io(url, { transports: ["websocket"] });    // or without polling'),
    )


def buffering() -> Fixes:
    """Let an answer through at once."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_cache off;\nproxy_request_buffering off;"),
        Fix("server, Python", "uvicorn app:app    # a server that answers several requests at the same time"),
        _client('const socket = io(url, { transports: ["websocket"] });'),
    )


def body_size(limit: int) -> Fixes:
    """Let larger bodies through."""
    return (
        Fix("nginx", f"client_max_body_size {limit // 1_000_000 + 1}m;"),
        _node(
            "const io = new Server(httpServer, { maxHttpBufferSize: 1e6 });    // what the proxy lets through"
        ),
    )


def payload(size: int) -> Fixes:
    """Take larger packets."""
    return (
        _node(f"const io = new Server(httpServer, {{ maxHttpBufferSize: {size * 2} }});"),
        _python(f"sio = socketio.AsyncServer(max_http_buffer_size={size * 2})"),
    )


def cors(origin: str, credentials: bool) -> Fixes:
    """Let a page of this origin in."""
    node = f"const io = new Server(httpServer, {{ cors: {{ origin: {quoted(origin)}"
    return (
        _node(f"{node}{', credentials: true' if credentials else ''} }} }});"),
        _python(f"sio = socketio.AsyncServer(cors_allowed_origins=[{quoted(origin)}])"),
    )


def cors_twice() -> Fixes:
    """Let one of two set the header."""
    return (
        Fix(
            "nginx",
            "proxy_hide_header Access-Control-Allow-Origin;    # or leave out add_header: one sets it",
        ),
        _python("sio = socketio.AsyncServer(cors_allowed_origins=[])    # where the framework sets it"),
    )


def cors_headers(origin: str, names: list[str]) -> Fixes:
    """Let these headers pass the preflight."""
    allowed = ", ".join(quoted(name) for name in names)
    return (
        _node(
            "const io = new Server(httpServer, {\n"
            f"  cors: {{ origin: {quoted(origin)}, allowedHeaders: [{allowed}] }},\n"
            "});"
        ),
    )


def namespace(name: str) -> Fixes:
    """Have the namespace on the server."""
    return (
        _node(f'io.of({quoted(name)}).on("connection", (socket) => {{ /* … */ }});'),
        _python(f'@sio.on("connect", namespace={quoted(name)})\nasync def connect(sid, environ, auth): ...'),
        _client('const socket = io("https://example.org/");    // what follows the host is the namespace'),
    )


def is_path(examination: "Examination", path: str) -> Fixes:
    """Give a path as the path."""
    return moved(examination.target.place, path)


def other_namespace(name: str) -> Fixes:
    """Use the name that is there."""
    return (
        _client(f"const socket = io(url + {quoted(name)});"),
        _shell(f"nsroom connect {shlex.quote(name)}"),
    )


def credentials() -> Fixes:
    """Say who it is."""
    return (
        _client('const socket = io(url, { auth: { token: "TOKEN" } });    // socket.handshake.auth'),
        _client_python('await sio.connect(url, auth={"token": "TOKEN"})'),
        _shell("nsroom doctor … --auth token=TOKEN"),
    )


def query_credentials() -> Fixes:
    """Say who it is to a server of Socket.IO 2, which knows no auth."""
    return (
        _client('const socket = io(url, { query: { token: "TOKEN" } });    // socket.handshake.query.token'),
        _shell("nsroom doctor … --query token=TOKEN"),
    )


def middleware() -> Fixes:
    """Go on to the next."""
    return (
        _node(
            "io.use(async (socket, next) => {\n"
            "  try { await authenticate(socket); next(); }    // on every way out, once\n"
            "  catch (error) { next(error); }\n"
            "});"
        ),
        _python("async with asyncio.timeout(5):    # in the connect handler: bound what it awaits\n    ..."),
    )


def msgpack() -> Fixes:
    """Speak msgpack too."""
    return (
        _client('import parser from "socket.io-msgpack-parser";\nconst socket = io(url, { parser });'),
        _client_python('sio = socketio.AsyncClient(serializer="msgpack")'),
        _node("const io = new Server(httpServer);    // without parser, for clients as they come"),
    )


def parser() -> Fixes:
    """Have one parser on both sides."""
    return (
        _node("const io = new Server(httpServer);    // without the option parser, or with it on both sides"),
    )


def heartbeat() -> Fixes:
    """Let heartbeats through."""
    return (
        Fix("nginx", "proxy_buffering off;\nproxy_read_timeout 120s;"),
        _node("const io = new Server(httpServer, { pingInterval: 25000, pingTimeout: 20000 });"),
    )


def idle(seconds: float) -> Fixes:
    """Keep an idle connection from being cut."""
    return (
        Fix("nginx", "proxy_read_timeout 120s;\nproxy_send_timeout 120s;"),
        Fix("HAProxy", "timeout tunnel 1h"),
        _node(f"const io = new Server(httpServer, {{ pingInterval: {max(int(seconds * 500), 1000)} }});"),
    )


def acknowledge(event: str) -> Fixes:
    """Answer the event."""
    name = quoted(event)
    return (
        _node(f"socket.on({name}, (...args) => {{ const ack = args.pop(); ack({{ ok: true }}); }});"),
        _python(f'@sio.on({name})\nasync def handler(sid, *args):\n    return {{"ok": True}}'),
    )


def late_handlers(event: str) -> Fixes:
    """Register handlers before anything is awaited."""
    name = quoted(event)
    return (
        _node(
            'io.on("connection", async (socket) => {\n'
            f"  socket.on({name}, handler);    // first every handler,\n"
            "  const user = await load(socket);    // then what takes time\n"
            "});"
        ),
    )


def admin() -> Fixes:
    """Close the admin namespace."""
    return (
        _node('instrument(io, { auth: { type: "basic", username: "admin", password: BCRYPT_HASH } });'),
        _python('sio.instrument(auth={"username": "admin", "password": PASSWORD})'),
    )
