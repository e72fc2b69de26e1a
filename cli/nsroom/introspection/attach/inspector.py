"""A client of a process' inspector: the Chrome DevTools Protocol over WebSocket."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from nsroom.client.transports.asyncio_websocket import WebSocket, is_accepted
from nsroom.client.transports.handshake import AGENT, new_key
from nsroom.errors import LostError
from nsroom.protocol import http11

REQUIRE = "(process.getBuiltinModule?.bind(process) ?? require)"
"""JavaScript for a function that loads a built-in module. Deno has no `require`, Node 18 only that."""
_PROBE_TIMEOUT = 2.0
"""Seconds for a port to answer what it is."""
_MAX_LIST = 256 * 1024
"""Bytes of an inspector's list of targets."""
_TIMEOUT = 60.0
"""Seconds for one answer: a search of a large heap takes several."""


class Place(NamedTuple):
    """Where a process' inspector listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class InspectorError(Exception):
    """The inspector refused a call; the text is its reason."""


async def find_target(place: Place) -> str | None:
    """Return the WebSocket path of the inspector at a port, or None if something else listens there."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT):
            return _target(json.loads(await _get(place, "/json/list")))
    except (OSError, ValueError, RecursionError):
        return None


def _target(listed: Any) -> str | None:
    match listed:
        case [{"webSocketDebuggerUrl": str() as url, "type": "node" | "deno"}, *_]:
            return urlsplit(url).path or "/"
    return None


async def _get(place: Place, path: str) -> bytes:
    """Return the body of an HTTP response. Raises: OSError, ValueError."""
    reader, writer = await asyncio.open_connection(*place)
    try:
        writer.write(_request(place, path, {"Connection": "close"}).encode())
        http = http11.Reader(lambda head: http11.response_framing(head, "GET"))
        body, size = b"", 0
        while data := await reader.read(65536):
            size += len(data)
            for part in http.feed(data):
                if isinstance(part, http11.End):
                    return body
                body += part.data if isinstance(part, http11.Body) else b""
            if size > _MAX_LIST:
                break
        return body
    finally:
        writer.close()


def _request(place: Place, path: str, headers: Mapping[str, str]) -> str:
    """Return the head of a request; the inspector accepts only addresses as its host."""
    lines = [f"{name}: {value}" for name, value in {"Host": place, "User-Agent": AGENT, **headers}.items()]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""])


class Inspector:
    """A session with one process: calls with their answers, and events."""

    def __init__(self, on_event: Callable[[str, Any], None]) -> None:
        """`on_event` is called with the name and the parameters of each event."""
        self._on_event = on_event
        self._websocket: WebSocket | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0

    async def open(self, place: Place, path: str) -> None:
        """Connect. Raises: OSError, ValueError for another answer than a WebSocket's."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_PROBE_TIMEOUT * 5):
            _, self._websocket = await loop.create_connection(
                lambda: WebSocket(self._on_messages, lambda _: None), *place
            )
            key = new_key()
            headers = {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": key,
            }
            head = await self._websocket.handshake(_request(place, path, headers))
            if not is_accepted(head, key):
                raise ValueError(f"no WebSocket: {head.start}")
        self._websocket.closed.add_done_callback(self._on_closed)

    @property
    def is_open(self) -> bool:
        """Whether the session can be used."""
        return self._websocket is not None and not self._websocket.closed.done()

    @property
    def closed(self) -> asyncio.Future[None]:
        """Done when the connection has ended."""
        assert self._websocket is not None, "not opened"
        return self._websocket.closed

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method, and return its result. Raises: InspectorError, LostError."""
        answer = asyncio.get_running_loop().create_future()
        number = self._send(method, params)
        self._answers[number] = answer
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await answer
        except TimeoutError:
            raise LostError(f"the inspector did not answer {method} within {_TIMEOUT:g} s") from None
        finally:
            self._answers.pop(number, None)

    async def run(self, function: str, on: str, *args: Any, keep: bool = False, wait: bool = False) -> Any:
        """Call a JavaScript function on a remote object; return its value, or with `keep` the object's id.

        `args` are values, or remote objects as `{"objectId": id}`. With `wait` the value is that
        of the promise that the function returns. Raises: InspectorError, LostError.
        """
        arguments = [
            each if isinstance(each, dict) and "objectId" in each else {"value": each} for each in args
        ]
        answer = await self.call(
            "Runtime.callFunctionOn",
            functionDeclaration=function,
            objectId=on,
            arguments=arguments,
            returnByValue=not keep,
            awaitPromise=wait,
        )
        return _value(answer)

    async def evaluate(self, expression: str, keep: bool = False) -> Any:
        """Evaluate JavaScript with the console's `require`; as `run`."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, includeCommandLineAPI=True, returnByValue=not keep
        )
        return _value(answer)

    def notify(self, function: str, on: str, *args: Any) -> None:
        """Call a JavaScript function on a remote object, without waiting for it. Raises: LostError."""
        self._send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": function,
                "objectId": on,
                "arguments": [{"value": each} for each in args],
            },
        )

    def close(self) -> None:
        """End the session."""
        if self._websocket is not None:
            self._websocket.close_now()

    def _send(self, method: str, params: Mapping[str, Any]) -> int:
        assert self._websocket is not None, "not opened"
        self._last_id += 1
        try:
            self._websocket.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        except ConnectionError:
            raise LostError("the connection to the inspector is closed") from None
        return self._last_id

    def _on_messages(self, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            with contextlib.suppress(ValueError, RecursionError):  # a peer that is not an inspector
                self._on_message(json.loads(message))

    def _on_message(self, message: Any) -> None:
        match message:
            case {"id": int() as number, **rest}:
                answer = self._answers.get(number)
                if answer is None or answer.done():
                    return
                if "error" in rest:
                    answer.set_exception(InspectorError(str(rest["error"])))
                else:
                    answer.set_result(rest.get("result"))
            case {"method": str() as method, **rest}:
                self._on_event(method, rest.get("params"))

    def _on_closed(self, _: object) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(LostError("the connection to the inspector was closed"))


def _value(answer: Any) -> Any:
    """Return the value of a result, or the id of its object. Raises: InspectorError."""
    match answer:
        case {"exceptionDetails": {"exception": {"description": str() as text}}}:
            raise InspectorError(text.partition("\n")[0])
        case {"exceptionDetails": details}:
            raise InspectorError(str(details)[:500])
        case {"result": {"objectId": str() as id}}:
            return id
        case {"result": {"value": value}}:
            return value
    return None
