"""What carries Engine.IO frames, of protocol 3 or 4: a WebSocket, or polling."""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.doctor.probes.http import Exchange, Unanswered
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3, strict_json
from nsroom.record import Frame

_FRAMES = 10_000
"""Frames to look through for an answer."""


class Gone(Exception):
    """The session is over: the code of a WebSocket's end, or the status of a poll."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Wire(Protocol):
    """What carries Engine.IO frames."""

    name: str

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: Gone."""

    async def receive(self) -> Frame:
        """Give the next frame. Raises: Gone."""

    async def close(self) -> None:
        """End the session."""


class WebSocketWire:
    """A frame is a message."""

    name = "websocket"

    def __init__(self, ws: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._ws = ws

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: Gone."""
        try:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))
        except (ConnectionError, aiohttp.ClientError):
            raise Gone(self._end()) from None

    async def receive(self) -> Frame:
        """Give the next frame. Raises: Gone."""
        message = await self._ws.receive()
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise Gone(self._end())
        frame: Frame = message.data
        return frame

    def _end(self) -> str:
        return f"WebSocket closed, code {self._ws.close_code or 1006}"

    async def close(self) -> None:
        """Leave without waiting for an answer to it."""
        try:
            async with asyncio.timeout(0.5):
                await self._ws.close()
        except TimeoutError:
            return


class PollingWire:
    """A frame is a part of an HTTP body."""

    name = "polling"

    def __init__(self, exchange: Exchange, generation: int, sid: str, cookies: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._generation = generation
        self._query = {"EIO": str(generation), "transport": "polling", "sid": sid}
        self._cookies = cookies
        self._frames: deque[Frame] = deque()

    def keep(self, frames: Sequence[Frame]) -> None:
        """Take what came with the handshake."""
        self._frames.extend(frames)

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: Gone."""
        await self.post(body(frame, self._generation), 5.0)

    async def post(self, text: str, timeout: float) -> None:
        """Send a body. Raises: Gone, Unanswered."""
        answer = await self._exchange.request(
            "POST", self._query, body=text, cookies=self._cookies, timeout=timeout
        )
        if answer.status != 200:
            raise Gone(f"HTTP {answer.status}: {refusal(answer.text)[1] or 'no reason given'}")

    async def receive(self) -> Frame:
        """Give the next frame; its poll may take as long as the server likes. Raises: Gone."""
        while not self._frames:
            answer = await self._exchange.request("GET", self._query, cookies=self._cookies, timeout=None)
            if answer.status != 200:
                raise Gone(f"HTTP {answer.status}: {refusal(answer.text)[1] or 'no reason given'}")
            self._frames.extend(split(answer.body, self._generation))
        return self._frames.popleft()

    async def close(self) -> None:
        """End the session, as far as the server lets us."""
        try:
            await self.post(body("1", self._generation), 1.0)
        except (Gone, Unanswered):
            return


def body(frame: Frame, generation: int) -> str:
    """Write a frame as a polling body."""
    text = frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode()
    return text if generation == 4 else f"{len(text.encode('utf-16-le')) // 2}:{text}"


def split(data: bytes, generation: int) -> list[Frame]:
    """Take a polling body apart. Raises: DecodeError."""
    if generation == 3:
        return list(engineio3.split_payload(data))
    return list(engineio.split_payload(data.decode("utf-8", "replace")))


def refusal(text: str) -> tuple[int | None, str | None]:
    """Read an Engine.IO refusal: Node's code and message, or python-engineio's message alone."""
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
