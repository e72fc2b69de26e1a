"""An instrumented server on stock python-socketio, with the events of `admin4.js`.

Prints `{"listening": PORT}`, then what it sees as JSON lines; a line on stdin makes it print every socket as
the server itself knows it. `--mode production`, `--readonly`, `--auth` (admin:s3cret), `--ping SECONDS`.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

import socketio
from aiohttp import web

NAMESPACES = ("/", "/chat")


def show(**fields: Any) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def handle(sio: socketio.AsyncServer, namespace: str) -> None:
    """Give a namespace its events."""

    async def connect(sid: str, _environ: dict[str, Any], auth: Any) -> None:
        if auth == {"refuse": True}:
            raise socketio.exceptions.ConnectionRefusedError("no")
        show(kind="connect", namespace=namespace, sid=sid)

    async def enter(sid: str, room: str) -> dict[str, Any]:
        await sio.enter_room(sid, room, namespace=namespace)
        return {"ok": True}

    async def leave(sid: str, room: str) -> dict[str, Any]:
        await sio.leave_room(sid, room, namespace=namespace)
        return {"ok": True}

    async def shout(_sid: str, *args: Any) -> None:
        await sio.emit("echo", args, namespace=namespace)

    def disconnect(sid: str, reason: str) -> None:
        show(kind="disconnect", namespace=namespace, sid=sid, reason=reason)

    events = {"connect": connect, "enter": enter, "exit": leave, "shout": shout, "disconnect": disconnect}
    for event, handler in events.items():
        sio.on(event, handler, namespace=namespace)


def truth(sio: socketio.AsyncServer) -> list[dict[str, Any]]:
    """Give every socket as python-socketio's manager knows it."""
    return [
        {
            "namespace": namespace,
            "sid": sid,
            "transport": "websocket" if sio.eio.sockets[eio_sid].upgraded else "polling",
            "rooms": sio.manager.get_rooms(sid, namespace),
        }
        for namespace in NAMESPACES
        for sid, eio_sid in sio.manager.get_participants(namespace, None)
    ]


async def serve(options: argparse.Namespace) -> None:
    """Listen on a free port until killed."""
    sio = socketio.AsyncServer(async_mode="aiohttp", ping_interval=options.ping)
    for namespace in NAMESPACES:
        handle(sio, namespace)
    sio.instrument(
        auth={"username": "admin", "password": "s3cret"} if options.auth else False,
        mode=options.mode,
        read_only=options.readonly,
        server_stats_interval=options.stats,
    )
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    show(listening=runner.addresses[0][1])
    while await asyncio.to_thread(sys.stdin.readline):
        show(truth=truth(sio))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="development")
    parser.add_argument("--readonly", action="store_true")
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--ping", type=float, default=25)
    parser.add_argument("--stats", type=float, default=2)
    asyncio.run(serve(parser.parse_args()))
