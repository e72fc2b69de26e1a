"""Fixes for names, addresses, TLS, paths and refused handshakes."""

import shlex

from nsroom.doctor.finding import Fix, Fixes, client, client_python, node, python, quoted, shell


def look_up(host: str) -> Fix:
    """Look the name up."""
    return shell(f"getent hosts {shlex.quote(host)} || nslookup {shlex.quote(host)}")


def listen(port: int | str, refused: bool) -> Fixes:
    """Find out what listens, and on which address."""
    seen = shell(f"ss -ltnp 'sport = :{port}'    # on the server: what listens, and on which address?")
    if not refused:
        return (seen,)
    return (
        seen,
        node(f'httpServer.listen({port}, "0.0.0.0");    // in a container, 127.0.0.1 is not enough'),
        Fix("Docker", f"docker run -p {port}:{port} IMAGE"),
    )


def every_address() -> Fix:
    """Listen on both IPv6 and IPv4."""
    return node('httpServer.listen(PORT, "::");    // IPv6 and IPv4; or remove the dead address from DNS')


def renew(host: str) -> Fixes:
    """Renew the certificate."""
    name = f" --cert-name {shlex.quote(host)}" if host else ""
    return (shell(f"certbot renew{name} --force-renewal && systemctl reload nginx"),)


def self_signed() -> Fixes:
    """Trust a self-signed certificate."""
    return (
        shell("nsroom doctor … --cacert cert.pem    # or -k, to check the rest"),
        client('const socket = io(url, { ca: fs.readFileSync("cert.pem") });    // Node'),
        client_python(
            'ssl_context = ssl.create_default_context(cafile="cert.pem")\n'
            "http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_context))\n"
            "sio = socketio.AsyncClient(http_session=http)"
        ),
    )


def other_host(host: str) -> Fixes:
    """Get a certificate for this name."""
    return (shell(f"certbot certonly -d {shlex.quote(host)}    # or connect to a name in the certificate"),)


def chain(host: str) -> Fixes:
    """Send the whole certificate chain."""
    return (
        Fix("nginx", "ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem;    # not cert.pem"),
        shell(f"openssl s_client -connect {shlex.quote(host)}:443 -showcerts </dev/null"),
        shell("nsroom doctor … --cacert authority.pem    # if the authority is your own"),
    )


def other_port() -> Fixes:
    """Find out which protocol the port speaks."""
    return (shell("curl -v URL    # is this the HTTPS port?"),)


def use_url(url: str) -> Fixes:
    """Use the URL with the right scheme."""
    return (
        client(f"const socket = io({quoted(url)});"),
        client_python(f"await sio.connect({quoted(url)})"),
        shell(f"nsroom doctor {shlex.quote(url)}"),
    )


def stuck(place: str, path: str) -> Fixes:
    """Find out why the server does not answer."""
    url = shlex.quote(f"{place}{path}?EIO=4&transport=polling")
    return (
        shell(f"curl -v {url}"),
        node("io.attach(httpServer);    // the same server that listens"),
    )


def log_in() -> Fixes:
    """Log in, or exempt Socket.IO from the log-in."""
    return (
        shell("nsroom doctor … --cookie NAME=VALUE    # from a browser that is logged in"),
        Fix("nginx", "location /socket.io/ { auth_request off; }    # or exempt Socket.IO from the log-in"),
    )


def moved(url: str, path: str) -> Fixes:
    """Use another URL and path."""
    return (
        client(f"const socket = io({quoted(url)}, {{ path: {quoted(path)} }});"),
        client_python(f"await sio.connect({quoted(url)}, socketio_path={quoted(path)})"),
        shell(f"nsroom doctor {shlex.quote(url)} --path {shlex.quote(path)}"),
    )


def no_slash(found: str) -> Fixes:
    """Leave out the trailing slash."""
    return (
        client(f"const socket = io(url, {{ path: {quoted(found)}, addTrailingSlash: false }});"),
        node("const io = new Server(httpServer, { addTrailingSlash: true });"),
    )


def plain_websocket(place: str) -> Fixes:
    """Use a plain WebSocket client, or a Socket.IO server."""
    url = "ws" + place.removeprefix("http")
    return (
        client(f"const socket = new WebSocket({quoted(url)});    // instead of io(…)"),
        node('import { Server } from "socket.io";    // instead of the package ws'),
    )


def attach() -> Fixes:
    """Attach Socket.IO to the server that listens."""
    return (
        node(
            'import { createServer } from "node:http";\n'
            "const httpServer = createServer(app);\n"
            "const io = new Server(httpServer);\n"
            "httpServer.listen(3000);    // not app.listen(3000), which creates another server"
        ),
        python('app = socketio.ASGIApp(sio, other_app)    # answers at socketio_path="socket.io"'),
        Fix(
            "nginx",
            "location /socket.io/ { proxy_pass http://127.0.0.1:3000; }    # without a rewrite of the path",
        ),
    )


def serverless() -> Fixes:
    """Run the server as a long-lived process."""
    return (
        Fix(
            "hosting",
            "Run the Socket.IO server as a long-lived process: a VM, a container, Fly.io, Render, Railway.",
        ),
        client('const socket = io("https://socket.example.org");    // that server, not the functions'),
    )


def forbidden() -> Fixes:
    """Send the credentials that the server expects, or make it expect fewer."""
    return (
        shell("nsroom doctor … -H 'Authorization: Bearer TOKEN'    # or --cookie, --query, --origin"),
        client('const socket = io(url, { extraHeaders: { Authorization: "Bearer TOKEN" } });'),
        node(
            "const io = new Server(httpServer, {\n"
            "  allowRequest: (req, done) => done(null, isAllowed(req)),    // refuses this client\n"
            "});"
        ),
    )


def gateway(status: int) -> Fixes:
    """Make the server behind the proxy answer."""
    if status == 429:
        return (Fix("proxy", "exempt /socket.io/ from rate limiting: polling clients request all the time"),)
    return (
        shell("curl -v 'http://127.0.0.1:3000/socket.io/?EIO=4&transport=polling'    # on the server itself"),
        Fix("nginx", "proxy_pass http://127.0.0.1:3000;    # the port that the application listens on"),
    )
