"""What to do about names, addresses, TLS, paths and refusals."""

import shlex
from typing import TYPE_CHECKING

from nsroom.doctor.finding import Fix, Fixes, client, client_python, node, python, quoted, shell

if TYPE_CHECKING:
    from nsroom.doctor.examination import Examination


def look_up(host: str) -> Fix:
    """Ask the name server."""
    return shell(f"getent hosts {shlex.quote(host)} || nslookup {shlex.quote(host)}")


def listen(port: int | str, refused: bool) -> Fixes:
    """See who listens, and on which address."""
    seen = shell(f"ss -ltnp 'sport = :{port}'    # on the server: who listens, and on which address?")
    if not refused:
        return (seen,)
    return (
        seen,
        node(f'httpServer.listen({port}, "0.0.0.0");    // in a container: not only on 127.0.0.1'),
        Fix("Docker", f"docker run -p {port}:{port} IMAGE"),
    )


def every_address() -> Fix:
    """Listen for IPv6 and IPv4 both."""
    return node('httpServer.listen(PORT, "::");    // both families; or take the dead address out of DNS')


def renew(host: str) -> Fixes:
    """Have a new certificate."""
    name = f" --cert-name {shlex.quote(host)}" if host else ""
    return (shell(f"certbot renew{name} --force-renewal && systemctl reload nginx"),)


def self_signed() -> Fixes:
    """Trust a certificate that nobody else vouches for."""
    return (
        shell("nsroom doctor … --cacert cert.pem    # or -k, to look at the rest"),
        client('const socket = io(url, { ca: fs.readFileSync("cert.pem") });    // Node'),
        client_python(
            'ssl_context = ssl.create_default_context(cafile="cert.pem")\n'
            "http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_context))\n"
            "sio = socketio.AsyncClient(http_session=http)"
        ),
    )


def other_host(host: str) -> Fixes:
    """Use a name that the certificate has."""
    return (
        shell(f"certbot certonly -d {shlex.quote(host)}    # or connect by a name that the certificate has"),
    )


def chain(host: str) -> Fixes:
    """Send the whole chain."""
    return (
        Fix("nginx", "ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem;    # not cert.pem"),
        shell(f"openssl s_client -connect {shlex.quote(host)}:443 -showcerts </dev/null"),
        shell("nsroom doctor … --cacert authority.pem    # where the authority is your own"),
    )


def other_port() -> Fixes:
    """Look at what the port speaks."""
    return (shell("curl -v URL    # is it the port of HTTPS?"),)


def use_url(url: str) -> Fixes:
    """Use the other scheme."""
    return (
        client(f"const socket = io({quoted(url)});"),
        client_python(f"await sio.connect({quoted(url)})"),
        shell(f"nsroom doctor {shlex.quote(url)}"),
    )


def stuck(examination: "Examination") -> Fixes:
    """Find out why nothing is answered."""
    url = shlex.quote(f"{examination.target.place}{examination.exchange.path}?EIO=4&transport=polling")
    return (
        shell(f"curl -v {url}"),
        node("io.attach(httpServer);    // the very server that listens"),
    )


def log_in() -> Fixes:
    """Go past what wants a log-in."""
    return (
        shell("nsroom doctor … --cookie NAME=VALUE    # that of a browser that has logged in"),
        Fix("nginx", "location /socket.io/ { auth_request off; }    # or let Socket.IO past the log-in"),
    )


def moved(url: str, path: str) -> Fixes:
    """Go where the server is now."""
    return (
        client(f"const socket = io({quoted(url)}, {{ path: {quoted(path)} }});"),
        client_python(f"await sio.connect({quoted(url)}, socketio_path={quoted(path)})"),
        shell(f"nsroom doctor {shlex.quote(url)} --path {shlex.quote(path)}"),
    )


def path(examination: "Examination", found: str) -> Fixes:
    """Use the path that answers."""
    return moved(examination.target.place, found)


def no_slash(found: str) -> Fixes:
    """Leave the slash out."""
    return (
        client(f"const socket = io(url, {{ path: {quoted(found)}, addTrailingSlash: false }});"),
        node("const io = new Server(httpServer, { addTrailingSlash: true });"),
    )


def plain_websocket(examination: "Examination") -> Fixes:
    """Speak plain WebSocket."""
    url = "ws" + examination.target.place.removeprefix("http")
    return (
        client(f"const socket = new WebSocket({quoted(url)});    // instead of io(…)"),
        node('import { Server } from "socket.io";    // instead of the package ws'),
    )


def attach() -> Fixes:
    """Have a Socket.IO server there."""
    return (
        node(
            'import { createServer } from "node:http";\n'
            "const httpServer = createServer(app);\n"
            "const io = new Server(httpServer);\n"
            "httpServer.listen(3000);    // not app.listen(3000), which makes another server"
        ),
        python('app = socketio.ASGIApp(sio, other_app)    # socketio_path="socket.io" is where it answers'),
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
        client('const socket = io("https://socket.example.org");    // that server, not the functions'),
    )


def forbidden() -> Fixes:
    """Send what the server asks for, or let it ask for less."""
    return (
        shell("nsroom doctor … -H 'Authorization: Bearer TOKEN'    # or --cookie, --query, --origin"),
        client('const socket = io(url, { extraHeaders: { Authorization: "Bearer TOKEN" } });'),
        node(
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
        shell("curl -v 'http://127.0.0.1:3000/socket.io/?EIO=4&transport=polling'    # on the server itself"),
        Fix("nginx", "proxy_pass http://127.0.0.1:3000;    # the port that the application listens on"),
    )
