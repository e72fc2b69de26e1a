"""Fixes in the application and its clients."""

import shlex

from nsroom.doctor.finding import Fixes, client, client_python, node, python, quoted, shell


def namespace(name: str) -> Fixes:
    """Create the namespace on the server."""
    return (
        node(f'io.of({quoted(name)}).on("connection", (socket) => {{ /* … */ }});'),
        python(f'@sio.on("connect", namespace={quoted(name)})\nasync def connect(sid, environ, auth): ...'),
        client('const socket = io("https://example.org/");    // the part after the host is the namespace'),
    )


def other_namespace(name: str) -> Fixes:
    """Use the namespace that exists."""
    return (
        client(f"const socket = io(url + {quoted(name)});"),
        shell(f"nsroom connect {shlex.quote(name)}"),
    )


def credentials() -> Fixes:
    """Send credentials."""
    return (
        client('const socket = io(url, { auth: { token: "TOKEN" } });    // socket.handshake.auth'),
        client_python('await sio.connect(url, auth={"token": "TOKEN"})'),
        shell("nsroom doctor … --auth token=TOKEN"),
    )


def query_credentials() -> Fixes:
    """Send credentials in the query: Socket.IO 2 does not have `auth`."""
    return (
        client('const socket = io(url, { query: { token: "TOKEN" } });    // socket.handshake.query.token'),
        shell("nsroom doctor … --query token=TOKEN"),
    )


def middleware() -> Fixes:
    """Always call next()."""
    return (
        node(
            "io.use(async (socket, next) => {\n"
            "  try { await authenticate(socket); next(); }    // once, on every path\n"
            "  catch (error) { next(error); }\n"
            "});"
        ),
        python(
            "async with asyncio.timeout(5):    # in the connect handler: limit how long it waits\n    ..."
        ),
    )


def msgpack() -> Fixes:
    """Use the same parser on both sides: msgpack, or JSON."""
    return (
        client('import parser from "socket.io-msgpack-parser";\nconst socket = io(url, { parser });'),
        client_python('sio = socketio.AsyncClient(serializer="msgpack")'),
        node("const io = new Server(httpServer);    // without parser, for clients with default options"),
    )


def parser() -> Fixes:
    """Use the same parser on both sides."""
    return (
        node("const io = new Server(httpServer);    // without the option parser, or with it on both sides"),
    )


def acknowledge(event: str) -> Fixes:
    """Acknowledge the event."""
    name = quoted(event)
    return (
        node(f"socket.on({name}, (...args) => {{ const ack = args.pop(); ack({{ ok: true }}); }});"),
        python(f'@sio.on({name})\nasync def handler(sid, *args):\n    return {{"ok": True}}'),
    )


def late_handlers(event: str) -> Fixes:
    """Register handlers before awaiting anything."""
    name = quoted(event)
    return (
        node(
            'io.on("connection", async (socket) => {\n'
            f"  socket.on({name}, handler);    // first all handlers,\n"
            "  const user = await load(socket);    // then whatever takes time\n"
            "});"
        ),
    )


def admin() -> Fixes:
    """Protect the admin namespace with a password."""
    return (
        node('instrument(io, { auth: { type: "basic", username: "admin", password: BCRYPT_HASH } });'),
        python('sio.instrument(auth={"username": "admin", "password": PASSWORD})'),
    )
