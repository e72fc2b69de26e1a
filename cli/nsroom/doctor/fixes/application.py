"""Fixes in the application and its clients."""

from nsroom.doctor.finding import (
    Fixes,
    client,
    client_python,
    namespace_word,
    node,
    python,
    quoted,
    quoted_python,
    shell,
)


def namespace(name: str) -> Fixes:
    """Return fixes for a namespace that does not exist."""
    return (
        node(f'io.of({quoted(name)}).on("connection", (socket) => {{ /* … */ }});'),
        python(
            f'@sio.on("connect", namespace={quoted_python(name)})\nasync def connect(sid, environ, auth): ...'
        ),
        client('const socket = io("https://example.org/");    // the part after the host is the namespace'),
    )


def other_namespace(name: str) -> Fixes:
    """Return fixes that make clients use another namespace."""
    return (
        client(f"const socket = io(url + {quoted(name)});"),
        shell("nsroom connect {}", namespace_word(name)),
    )


def credentials() -> Fixes:
    """Return fixes for clients without the right credentials."""
    return (
        client('const socket = io(url, { auth: { token: "TOKEN" } });    // socket.handshake.auth'),
        client_python('await sio.connect(url, auth={"token": "TOKEN"})'),
        shell("nsroom doctor … --auth token=TOKEN"),
    )


def query_credentials() -> Fixes:
    """Return fixes for clients without the right credentials on Socket.IO 2, which has no `auth`."""
    return (
        client('const socket = io(url, { query: { token: "TOKEN" } });    // socket.handshake.query.token'),
        shell("nsroom doctor … --query token=TOKEN"),
    )


def middleware() -> Fixes:
    """Return fixes for a middleware or connect handler that does not finish."""
    return (
        node(
            "io.use(async (socket, next) => {\n"
            "  try { await authenticate(socket); next(); }    // exactly once, on every path\n"
            "  catch (error) { next(error); }\n"
            "});"
        ),
        python("async with asyncio.timeout(5):    # in the connect handler, around what it awaits\n    ..."),
    )


def msgpack() -> Fixes:
    """Return fixes that make clients and server use the same parser, msgpack or JSON."""
    return (
        client('import parser from "socket.io-msgpack-parser";\nconst socket = io(url, { parser });'),
        client_python('sio = socketio.AsyncClient(serializer="msgpack")'),
        node("const io = new Server(httpServer);    // without `parser`, for default clients"),
    )


def parser() -> Fixes:
    """Return the fix for clients and servers with different parsers."""
    return (node("const io = new Server(httpServer);    // `parser` on both sides, or on neither"),)


def acknowledge(event: str) -> Fixes:
    """Return fixes for an event without an acknowledgement."""
    name = quoted(event)
    return (
        node(f"socket.on({name}, (...args) => {{ const ack = args.pop(); ack({{ ok: true }}); }});"),
        python(f'@sio.on({quoted_python(event)})\nasync def handler(sid, *args):\n    return {{"ok": True}}'),
    )


def disconnect() -> Fixes:
    """Return fixes for a server that disconnects the clients that it has accepted."""
    return (
        node(
            'io.use((socket, next) => next(new Error("reason")));    '
            "// instead of socket.disconnect() in the connection handler: clients are told the reason"
        ),
        python("sio = socketio.AsyncServer(logger=True, engineio_logger=True)    # its log has the reason"),
        shell("DEBUG='socket.io*,engine*' node server.js    # the log of a Node server has the reason"),
    )


def crash() -> Fixes:
    """Return fixes for a handler that ends the server."""
    return (
        node(
            'process.on("uncaughtException", (error) => console.error(error));    '
            "// shows what the handler threw; then catch it there"
        ),
        shell("node server.js    # start the server in a terminal: its last lines have the reason"),
    )


def late_handlers(event: str) -> Fixes:
    """Return the fix for handlers that are registered after an await."""
    name = quoted(event)
    return (
        node(
            'io.on("connection", async (socket) => {\n'
            f"  socket.on({name}, handler);    // first every handler,\n"
            "  const user = await load(socket);    // then anything slow\n"
            "});"
        ),
    )


def admin() -> Fixes:
    """Return fixes for an admin namespace without a password."""
    return (
        node('instrument(io, { auth: { type: "basic", username: "admin", password: BCRYPT_HASH } });'),
        python('sio.instrument(auth={"username": "admin", "password": PASSWORD})'),
    )
