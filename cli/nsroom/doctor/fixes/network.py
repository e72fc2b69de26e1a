"""Fixes for host names, addresses, TLS, paths and refused handshakes."""

from typing import TYPE_CHECKING

from nsroom.doctor.finding import (
    Fix,
    Fixes,
    client,
    client_python,
    node,
    python,
    quoted,
    quoted_python,
    shell,
)

if TYPE_CHECKING:
    from nsroom.client.transports.http_proxy import HttpProxy
    from nsroom.doctor.examination import Examination


def look_up(host: str) -> Fix:
    """Return the command that looks a host name up."""
    return shell("getent hosts {0} || nslookup {0}", host)


def listen(port: int, refused: bool) -> Fixes:
    """Return fixes for a port on which nothing listens, or the wrong program."""
    listeners = shell(f"ss -ltnp 'sport = :{port}'    # on the server: what listens, and on which address?")
    if not refused:
        return (listeners,)
    return (
        listeners,
        node(f'httpServer.listen({port}, "0.0.0.0");    // in a container: not only on 127.0.0.1'),
        Fix("Docker", f"docker run -p {port}:{port} IMAGE"),
    )


def proxy(failed: "HttpProxy") -> Fixes:
    """Return fixes for an HTTP proxy of the environment that fails."""
    url = f"{'https' if failed.uses_tls else 'http'}://user:password@{failed.host}:{failed.port}"
    return (
        shell("export {}={}    # the right host, port, user and password", failed.variable, url),
        shell("export NO_PROXY=HOST    # or without the proxy, if the server can be reached directly"),
    )


def every_address() -> Fix:
    """Return the fix for a server that does not listen on all its addresses."""
    return node('httpServer.listen(PORT, "::");    // IPv4 and IPv6; or remove the dead address from DNS')


def renew(host: str) -> Fixes:
    """Return the fix for an expired certificate."""
    name = ("certbot renew --cert-name {}", host) if host else ("certbot renew",)
    return (shell(f"{name[0]} --force-renewal && systemctl reload nginx", *name[1:]),)


def self_signed() -> Fixes:
    """Return fixes that make clients trust a self-signed certificate."""
    return (
        shell("nsroom doctor … --cacert cert.pem    # or -k, to check the rest"),
        client('const socket = io(url, { ca: fs.readFileSync("cert.pem") });    // Node'),
        client_python(
            'ssl_context = ssl.create_default_context(cafile="cert.pem")\n'
            "http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_context))\n"
            "sio = socketio.AsyncClient(http_session=http)"
        ),
    )


def client_certificate() -> Fixes:
    """Return fixes for a server that wants another client certificate, or one at all."""
    return (
        shell("nsroom doctor … --cert client.pem --key client.key"),
        client(
            'const socket = io(url, { cert: fs.readFileSync("client.pem"), '
            'key: fs.readFileSync("client.key") });    // Node'
        ),
        client_python(
            'ssl_context.load_cert_chain("client.pem", "client.key")\n'
            "http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_context))\n"
            "sio = socketio.AsyncClient(http_session=http)"
        ),
        Fix("nginx", "ssl_verify_client off;    # or ssl_client_certificate with the client's authority"),
    )


def other_host(host: str) -> Fixes:
    """Return the fix for a certificate that does not contain the host name."""
    return (shell("certbot certonly -d {}    # or connect to a name in the certificate", host),)


def chain(host: str) -> Fixes:
    """Return fixes for an incomplete certificate chain or an unknown authority."""
    return (
        Fix("nginx", "ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem;    # not cert.pem"),
        shell("openssl s_client -connect {}:443 -showcerts </dev/null", host),
        shell("nsroom doctor … --cacert authority.pem    # for an authority of your own"),
    )


def other_port() -> Fixes:
    """Return the fix for a port that may not speak TLS."""
    return (shell("curl -v URL    # is it the HTTPS port?"),)


def use_url(url: str) -> Fixes:
    """Return fixes that make clients use another URL."""
    return (
        client(f"const socket = io({quoted(url)});"),
        client_python(f"await sio.connect({quoted_python(url)})"),
        shell("nsroom doctor {}", url),
    )


def no_answer(examination: "Examination") -> Fixes:
    """Return fixes for a server that accepts connections but does not answer."""
    url = f"{examination.target.place}{examination.http.path}?EIO=4&transport=polling"
    return (
        shell("curl -v {}", url),
        node("io.attach(httpServer);    // the same server that listens"),
    )


def log_in() -> Fixes:
    """Return fixes for a log-in page in front of the server."""
    return (
        shell("nsroom doctor … --cookie NAME=VALUE    # from a browser that is logged in"),
        Fix("nginx", "location /socket.io/ { auth_request off; }    # or exempt Socket.IO from the log-in"),
    )


def moved(url: str, path: str) -> Fixes:
    """Return fixes that make clients use another URL and path."""
    if not path.endswith("/"):
        return no_slash(path, quoted(url))
    return (
        client(f"const socket = io({quoted(url)}, {{ path: {quoted(path)} }});"),
        client_python(f"await sio.connect({quoted_python(url)}, socketio_path={quoted_python(path)})"),
        shell("nsroom doctor {} --path {}", url, path),
    )


def no_slash(found: str, url: str = "url") -> Fixes:
    """Return fixes for a server that accepts the path only without the trailing slash."""
    return (
        client(f"const socket = io({url}, {{ path: {quoted(found)}, addTrailingSlash: false }});"),
        shell("nsroom connect … --path {}    # without the slash at the end", found),
        node("const io = new Server(httpServer, { addTrailingSlash: true });"),
    )


def plain_websocket(examination: "Examination") -> Fixes:
    """Return fixes for a plain WebSocket server."""
    url = "ws" + examination.target.place.removeprefix("http")
    return (
        client(f"const socket = new WebSocket({quoted(url)});    // instead of io(…)"),
        node('import { Server } from "socket.io";    // instead of the `ws` package'),
    )


def attach() -> Fixes:
    """Return fixes for a server on which Socket.IO does not answer."""
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
            "location /socket.io/ { proxy_pass http://127.0.0.1:3000; }    # without rewriting the path",
        ),
    )


def serverless() -> Fixes:
    """Return fixes for a serverless platform."""
    return (
        Fix(
            "hosting",
            "Run the Socket.IO server as a long-running process: a VM, a container, Fly.io, Render, Railway.",
        ),
        client('const socket = io("https://socket.example.org");    // that server, not the functions'),
    )


def forbidden() -> Fixes:
    """Return fixes for a handshake that the server or a proxy refuses."""
    return (
        shell("nsroom doctor … -H 'Authorization: Bearer TOKEN'    # or --cookie, --query, --origin"),
        client('const socket = io(url, { extraHeaders: { Authorization: "Bearer TOKEN" } });'),
        node(
            "const io = new Server(httpServer, {\n"
            "  allowRequest: (req, done) => done(null, isAllowed(req)),    // returns false\n"
            "});"
        ),
    )


def gateway(status: int) -> Fixes:
    """Return fixes for a proxy that limits requests, or does not reach the server."""
    if status == 429:
        found = "exempt /socket.io/ from rate limiting: a polling client sends requests all the time"
        return (Fix("proxy", found),)
    return (
        shell("curl -v 'http://127.0.0.1:3000/socket.io/?EIO=4&transport=polling'    # on the server itself"),
        Fix("nginx", "proxy_pass http://127.0.0.1:3000;    # the port that the application listens on"),
    )
