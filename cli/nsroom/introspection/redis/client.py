"""The connections to a Redis. Only this module uses its library."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from nsroom.errors import ConnectError, LostError, NsroomError, RefusedError, UsageError
from nsroom.introspection.redis.adapter import Subscription
from nsroom.introspection.redis.address import Address, Sentinels, parse

_CREDENTIALS = ("NOAUTH", "WRONGPASS", "invalid username", "invalid password", "AUTH ")
"""The beginnings of Redis' refusals of credentials."""
_TURN = 0.05
"""Seconds to wait for a message of one node of a Redis Cluster."""
_BLOCK = 1000
"""Milliseconds to wait for entries of streams."""
_MAX_ENTRIES = 100
_LAST = 2**64 - 1
"""The largest number of an entry within its millisecond."""
_MAX_FIELDS = 1_000_000
_MAX_TEXT = 200
"""Characters of what Redis says, in a message."""


class Message(NamedTuple):
    """A message that was published."""

    subscription: str
    """The channel or the pattern that was subscribed to."""
    channel: str
    data: bytes


class Entry(NamedTuple):
    """An entry of a stream."""

    stream: str
    position: str
    fields: dict[str, str]


class RedisClient:
    """Sends commands to a Redis, and reads its channels; `timeout` is in seconds."""

    def __init__(self, url: str, timeout: float) -> None:
        self._address = parse(url)
        self.name = self._address.name
        """The URL without credentials."""
        self.is_cluster = isinstance(self._address, Address) and self._address.is_cluster
        self._timeout = timeout
        self._is_open = False
        # Of types that the library has not declared completely.
        self._redis: Any = None
        self._pubsub: Any = None
        self._subscribed = asyncio.Event()
        self._is_sharded = asyncio.Event()
        """Whether there is something for `sharded_messages`."""

    async def open(self) -> None:
        """Connect. Raises: UsageError without the library, ConnectError, RefusedError."""
        try:
            self._redis = self._connect()
            await self.execute("PING")
        except ModuleNotFoundError as error:
            if str(error.name).partition(".")[0] != "redis":
                raise
            raise UsageError(
                "--via redis:// needs a package that is not installed; pip install 'nsroom[redis]'"
            ) from None
        except (ValueError, TypeError):  # the library makes a connection for the first command
            raise UsageError(f"--via: {self.name}: invalid or unknown options in the URL") from None
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        self._is_open = True

    def _connect(self) -> Any:
        from redis.asyncio import Redis, RedisCluster, Sentinel
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        address = self._address
        # Not again without a word: what was published meanwhile would be missing.
        once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": self._timeout}
        if isinstance(address, Sentinels):
            make_sentinel: Any = Sentinel
            sentinel = make_sentinel(address.hosts, sentinel_kwargs=once)
            return sentinel.master_for(address.service, **address.options, **once)
        make: Any = RedisCluster if address.is_cluster else Redis
        return make.from_url(address.url, **once)

    async def close(self) -> None:
        """Disconnect."""
        for each in (self._pubsub, self._redis):
            if each is not None:
                with suppress(OSError, asyncio.TimeoutError):
                    await each.aclose()

    async def execute(self, *command: str | bytes) -> Any:
        """Send a command and return the answer. Raises: RefusedError, LostError; ConnectError at first."""
        # A node of a Redis Cluster knows only its own subscribers.
        is_everywhere = self.is_cluster and str(command[0]).startswith("PUBSUB ")
        nodes = {"target_nodes": "all"} if is_everywhere else {}
        with self._explained():
            async with asyncio.timeout(self._timeout):
                return await self._redis.execute_command(*command, **nodes)

    async def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Subscribe to channels. Raises: as `execute`."""
        with self._explained():
            async with asyncio.timeout(self._timeout):
                for each in subscriptions:
                    await getattr(self._pubsub, each.kind)(each.channel)
                    is_sharded = self.is_cluster and each.kind == "ssubscribe"
                    (self._is_sharded if is_sharded else self._subscribed).set()

    async def fields(self, hash: str) -> list[tuple[str, str]]:
        """Return the fields of a hash with their values. Raises: as `execute`; RefusedError if it is huge."""
        if await self.execute("HLEN", hash) > _MAX_FIELDS:
            raise RefusedError(f"{self.name}: more than {_MAX_FIELDS} fields in {hash}")
        found = await self.execute("HGETALL", hash)
        return [(_text(key), _text(value)) for key, value in found.items()]

    async def time(self) -> str:
        """Return the position in any stream before what is added from now on. Raises: as `execute`."""
        seconds, micros = await self.execute("TIME")
        return f"{seconds * 1000 + micros // 1000 - 1}-{_LAST}"

    async def read_streams(self, positions: Mapping[str, str]) -> list[Entry]:
        """Return entries that were added after positions, or none after a second. Raises: as `execute`."""
        options = ("COUNT", str(_MAX_ENTRIES), "BLOCK", str(_BLOCK), "STREAMS")
        answer = await self.execute("XREAD", *options, *positions, *positions.values())
        return list(_entries(answer))

    async def unsubscribe_sharded(self, channels: Iterable[str]) -> None:
        """Unsubscribe from channels of sharded pub/sub. Raises: as `execute`."""
        with self._explained():
            async with asyncio.timeout(self._timeout):
                for channel in channels:
                    await self._pubsub.sunsubscribe(channel)

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what is published in the channels that were subscribed to. Raises: as `execute`."""
        await self._subscribed.wait()  # else the library ends at once
        with self._explained():
            async for message in self._pubsub.listen():
                if isinstance(message["data"], bytes):
                    yield _message(message)

    async def sharded_messages(self) -> AsyncIterator[Message]:
        """Yield what is published by sharded pub/sub in a Redis Cluster. Raises: as `execute`."""
        await self._is_sharded.wait()
        with self._explained():
            while True:
                # The library asks one node after the other, each for this time.
                message = await self._pubsub.get_sharded_message(timeout=_TURN)
                if message is not None and isinstance(message["data"], bytes):
                    yield _message(message)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise the errors of the library and of the system as errors for the user."""
        from redis import exceptions

        try:
            yield
        except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> NsroomError:
        from redis import exceptions

        # A message may have the whole pool of connections after " : ".
        text = " ".join(str(error).split()).partition(" : ")[0][:_MAX_TEXT].removesuffix(".")
        unreachable = exceptions.ConnectionError | exceptions.TimeoutError | OSError
        if isinstance(error, exceptions.AuthenticationError) or text.startswith(_CREDENTIALS):
            return RefusedError(
                f"{self.name} refuses the credentials: {text}; put the URL with USER:PASSWORD@ in $NSROOM_VIA"
            )
        if isinstance(error, exceptions.NoPermissionError):
            return RefusedError(f"{self.name} forbids this user a command that nsroom needs: {text}")
        if isinstance(error, exceptions.MovedError):
            return ConnectError(f"{self.name} is a node of a Redis Cluster; write redis+cluster://")
        if isinstance(error, exceptions.InvalidResponse | exceptions.RedisClusterException):
            return ConnectError(f"{self.name} is not a Redis of this kind: {text}")
        if isinstance(error, unreachable):
            return self._unreachable(error, text)
        return RefusedError(f"{self.name} answered: {text}")

    def _unreachable(self, error: Exception, text: str) -> NsroomError:
        is_silent = isinstance(error, TimeoutError) or not text
        cause = f"no answer within {self._timeout:g} s" if is_silent else text
        if self._is_open:
            return LostError(f"{self.name}: connection lost: {cause}")
        return ConnectError(f"{self.name}: cannot connect: {cause}; is it a Redis or Valkey, and running?")


def _entries(answer: Any) -> Iterator[Entry]:
    """Yield the entries in an answer of XREAD, in the form of version 2 or 3 of the protocol."""
    for stream, entries in answer.items() if isinstance(answer, dict) else answer or ():
        parts = entries if entries and isinstance(entries[0], list) else [entries]
        for position, fields in (entry for part in parts for entry in part):
            texts = {_text(key): _text(value) for key, value in (fields or {}).items()}
            yield Entry(_text(stream), _text(position), texts)


def _message(message: Mapping[str, Any]) -> Message:
    channel, pattern = _text(message["channel"]), message.get("pattern")
    return Message(_text(pattern) if pattern else channel, channel, message["data"])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
