"""What to do in the application and its clients."""

import shlex
from typing import TYPE_CHECKING

from nsroom.doctor.finding import Fixes, client, client_python, node, python, quoted, shell

if TYPE_CHECKING:
    from nsroom.doctor.examination import Examination

from nsroom.doctor.fixes.network import moved


def namespace(name: str) -> Fixes:
    """Have the namespace on the server."""
    return (
        node(f'io.of({quoted(name)}).on("connection", (socket) => {{ /* … */ }});'),
        python(f'@sio.on("connect", namespace={quoted(name)})\nasync def connect(sid, environ, auth): ...'),
        client('const socket = io("https://example.org/");    // what follows the host is the namespace'),
    )


def is_path(examination: "Examination", path: str) -> Fixes:
    """Give a path as the path."""
    return moved(examination.target.place, path)


def other_namespace(name: str) -> Fixes:
    """Use the name that is there."""
    return (
        client(f"const socket = io(url + {quoted(name)});"),
        shell(f"nsroom connect {shlex.quote(name)}"),
    )


def credentials() -> Fixes:
    """Say who it is."""
    return (
        client('const socket = io(url, { auth: { token: "TOKEN" } });    // socket.handshake.auth'),
        client_python('await sio.connect(url, auth={"token": "TOKEN"})'),
        shell("nsroom doctor … --auth token=TOKEN"),
    )


def query_credentials() -> Fixes:
    """Say who it is to a server of Socket.IO 2, which knows no auth."""
    return (
        client('const socket = io(url, { query: { token: "TOKEN" } });    // socket.handshake.query.token'),
        shell("nsroom doctor … --query token=TOKEN"),
    )


def middleware() -> Fixes:
    """Go on to the next."""
    return (
        node(
            "io.use(async (socket, next) => {\n"
            "  try { await authenticate(socket); next(); }    // on every way out, once\n"
            "  catch (error) { next(error); }\n"
            "});"
        ),
        python("async with asyncio.timeout(5):    # in the connect handler: bound what it awaits\n    ..."),
    )


def msgpack() -> Fixes:
    """Speak msgpack too."""
    return (
        client('import parser from "socket.io-msgpack-parser";\nconst socket = io(url, { parser });'),
        client_python('sio = socketio.AsyncClient(serializer="msgpack")'),
        node("const io = new Server(httpServer);    // without parser, for clients as they come"),
    )


def parser() -> Fixes:
    """Have one parser on both sides."""
    return (
        node("const io = new Server(httpServer);    // without the option parser, or with it on both sides"),
    )


def acknowledge(event: str) -> Fixes:
    """Answer the event."""
    name = quoted(event)
    return (
        node(f"socket.on({name}, (...args) => {{ const ack = args.pop(); ack({{ ok: true }}); }});"),
        python(f'@sio.on({name})\nasync def handler(sid, *args):\n    return {{"ok": True}}'),
    )


def late_handlers(event: str) -> Fixes:
    """Register handlers before anything is awaited."""
    name = quoted(event)
    return (
        node(
            'io.on("connection", async (socket) => {\n'
            f"  socket.on({name}, handler);    // first every handler,\n"
            "  const user = await load(socket);    // then what takes time\n"
            "});"
        ),
    )


def admin() -> Fixes:
    """Close the admin namespace."""
    return (
        node('instrument(io, { auth: { type: "basic", username: "admin", password: BCRYPT_HASH } });'),
        python('sio.instrument(auth={"username": "admin", "password": PASSWORD})'),
    )
