"""A plain server on stock python-socketio and aiohttp, with the events of `server4.js`.

Prints `{"listening": PORT}`, then what it sees as JSON lines. `--transport polling|websocket`; `--ordered`
finishes the events of a client one after the other, which the library does not do by itself;
`--always-connect` accepts a client before its connect handler runs; `--redis URL` connects several servers.
"""

import argparse
import asyncio
import base64
import json
import sys
from typing import Any

import socketio
from aiohttp import web

NAMESPACES = ("/", "/chat", "/my-namespace")


def show(**fields: Any) -> None:
    """Print one JSON line."""
    sys.stdout.write(
        json.dumps(fields, default=lambda raw: {"$binary": base64.b64encode(raw).decode()}) + "\n"
    )
    sys.stdout.flush()


class Plain(socketio.AsyncNamespace):  # type: ignore[misc]
    """The events of `server4.js`; whatever has no handler is echoed and acknowledged."""

    def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        show(kind="connect", namespace=self.namespace, sid=sid, auth=auth, query=environ["QUERY_STRING"])

    def on_disconnect(self, sid: str, reason: str) -> None:
        show(kind="disconnect", namespace=self.namespace, sid=sid, reason=reason)

    async def trigger_event(self, event: str, sid: str, *args: Any) -> Any:
        """Find the handler; a tuple is an acknowledgement with several values."""
        if event not in ("connect", "disconnect"):
            show(kind="event", namespace=self.namespace, event=event, args=args)
        if hasattr(self, f"on_{event}"):
            return await super().trigger_event(event, sid, *args)
        await self.emit("echo", args, to=sid)
        return args

    async def on_join(self, sid: str, room: Any) -> dict[str, Any]:
        await self.enter_room(sid, room["room"] if isinstance(room, dict) else room)
        return {"ok": True}

    async def on_leave(self, sid: str, room: Any) -> dict[str, Any]:
        await self.leave_room(sid, room["room"] if isinstance(room, dict) else room)
        return {"ok": True}

    async def on_message(self, _sid: str, message: dict[str, Any]) -> dict[str, Any]:
        await self.emit("message", message, room=message["room"])
        return {"ok": True}

    async def on_ask(self, sid: str, *args: Any) -> Any:
        answer = await self.call("question", args, to=sid, timeout=30)
        show(answer=answer)
        await self.emit("answer", answer if isinstance(answer, tuple) else (answer,), to=sid)
        return answer

    async def on_shout(self, _sid: str, *args: Any) -> Any:
        await self.emit("echo", args)
        return args

    async def on_flood(self, sid: str, count: int) -> None:
        for n in range(count):
            await self.emit("tick", {"n": n}, to=sid)

    def on_fail(self, _sid: str) -> dict[str, Any]:
        return {"error": "no", "message": "it does not want to"}

    async def on_never(self, _sid: str, *_args: Any) -> None:
        await asyncio.Event().wait()

    async def on_kick(self, sid: str) -> None:
        await self.disconnect(sid)


class Secret(socketio.AsyncNamespace):  # type: ignore[misc]
    """Refuses everyone, with data."""

    def on_connect(self, _sid: str, _environ: dict[str, Any], _auth: Any) -> None:
        raise socketio.exceptions.ConnectionRefusedError("no", {"code": 1})


class Raising(socketio.AsyncNamespace):  # type: ignore[misc]
    """Fails for clients without a token."""

    def on_connect(self, _sid: str, _environ: dict[str, Any], auth: Any) -> None:
        show(token=auth["token"])


async def serve(transports: list[str], ordered: bool, always_connect: bool, redis: str | None) -> None:
    """Listen on a free port until killed."""
    sio = socketio.AsyncServer(
        async_mode="aiohttp",
        transports=transports,
        async_handlers=not ordered,
        always_connect=always_connect,
        client_manager=socketio.AsyncRedisManager(redis) if redis else None,
    )
    for namespace in NAMESPACES:
        sio.register_namespace(Plain(namespace))
    sio.register_namespace(Secret("/secret"))
    sio.register_namespace(Raising("/raising"))
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    show(listening=runner.addresses[0][1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", action="append", choices=("polling", "websocket"))
    parser.add_argument("--ordered", action="store_true")
    parser.add_argument("--always-connect", action="store_true")
    parser.add_argument("--redis")
    options = parser.parse_args()
    transports = options.transport or ["polling", "websocket"]
    asyncio.run(serve(transports, options.ordered, options.always_connect, options.redis))
