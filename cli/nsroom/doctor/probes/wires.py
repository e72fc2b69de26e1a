"""Carry Engine.IO frames, of protocol 3 or 4, over a WebSocket or over polling."""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.doctor.probes.http import Answer, HttpClient, NoAnswer
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, strict_json
from nsroom.record import Frame


class SessionClosed(Exception):
    """The reason for the end of a session: the WebSocket's close code, or the status of a request."""


class Wire(Protocol):
    """A connection that carries Engine.IO frames."""

    name: str

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionClosed, NoAnswer."""

    async def receive(self) -> Frame:
        """Return the next frame. Raises: SessionClosed, NoAnswer, DecodeError."""

    async def close(self) -> None:
        """End the session."""


class WebSocketWire:
    """Carries each frame as one WebSocket message."""

    name = "websocket"

    def __init__(self, ws: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._ws = ws

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionClosed."""
        try:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))
        except (ConnectionError, aiohttp.ClientError):
            raise self._closed() from None

    async def receive(self) -> Frame:
        """Return the next frame. Raises: SessionClosed."""
        message = await self._ws.receive()
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise self._closed()
        frame: Frame = message.data
        return frame

    def _closed(self) -> SessionClosed:
        return SessionClosed(f"WebSocket closed, code {self._ws.close_code or 1006}")

    async def close(self) -> None:
        """Close the WebSocket, without waiting long for the server's close frame."""
        try:
            async with asyncio.timeout(0.5):
                await self._ws.close()
        except TimeoutError:
            return


class PollingWire:
    """Carries frames in HTTP bodies."""

    name = "polling"

    def __init__(
        self,
        http: HttpClient,
        generation: int,
        sid: str,
        cookies: Mapping[str, str],
        received: Sequence[Frame] = (),
    ) -> None:
        self.generation = generation
        self.cookies = cookies
        self._http = http
        self._sid = sid
        self._query = {"EIO": str(generation), "transport": "polling", "sid": sid}
        self._received = deque(received)

    def without_cookies(self) -> "PollingWire":
        """Return another wire of the same session that sends none of the session's cookies."""
        return PollingWire(self._http, self.generation, self._sid, {})

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionClosed, NoAnswer."""
        await self.post(encode_body(frame, self.generation), 5.0)

    async def post(self, text: str, timeout: float) -> None:
        """Send a body. Raises: SessionClosed, NoAnswer."""
        answer = await self._http.request(
            "POST", self._query, body=text, cookies=self.cookies, timeout=timeout
        )
        require_success(answer)

    async def receive(self) -> Frame:
        """Return the next frame; a poll has no time-out. Raises: SessionClosed, NoAnswer, DecodeError."""
        while not self._received:
            answer = await self._http.request("GET", self._query, cookies=self.cookies, timeout=None)
            require_success(answer)
            self._received.extend(split_body(answer.body, self.generation))
        return self._received.popleft()

    async def close(self) -> None:
        """End the session, ignoring errors."""
        try:
            await self.post(encode_body("1", self.generation), 1.0)
        except (SessionClosed, NoAnswer):
            return


def require_success(answer: Answer) -> None:
    """Raise SessionClosed with the server's reason unless the status is 200."""
    if answer.status != 200:
        raise SessionClosed(f"HTTP {answer.status}: {parse_refusal(answer.text)[1] or 'no reason given'}")


def encode_body(frame: Frame, generation: int) -> str:
    """Return a frame as a polling body."""
    text = frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode()
    return text if generation == 4 else f"{len(text.encode('utf-16-le')) // 2}:{text}"


def split_body(data: bytes, generation: int) -> list[Frame]:
    """Return the frames of a polling body. Raises: DecodeError."""
    if generation == 3:
        return list(engineio3.split_payload(data))
    return list(engineio.split_payload(data.decode("utf-8", "replace")))


def parse_refusal(text: str) -> tuple[int | None, str | None]:
    """Parse an Engine.IO refusal: Node sends a code and a message, python-engineio only a message."""
    try:
        value = strict_json.load(text)
    except DecodeError:
        return None, None
    if isinstance(value, str):
        return None, value
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        code = value.get("code")
        return (code if isinstance(code, int) else None), value["message"]
    return None, None
