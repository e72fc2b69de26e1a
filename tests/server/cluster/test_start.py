"""What keeps one of several servers from starting, and what it says; a password is in none of it."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from nsroom_server.app import serving
from nsroom_server.errors import BusError, ConfigError
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import valkey


async def test_redis_that_is_not_there() -> None:
    with pytest.raises(BusError, match=r"^Redis at 127.0.0.1:1: connection refused; .*--redis$") as caught:
        async with serving(Config(port=0, redis="redis://:secret@127.0.0.1:1/0")):
            pass
    assert "secret" not in str(caught.value)


async def test_a_wrong_password(stack: AsyncExitStack, tmp_path: Path) -> None:
    server = await stack.enter_async_context(valkey(tmp_path, "--requirepass", "right"))
    url = server.url.replace("redis://", "redis://:wrong@")
    with pytest.raises(BusError, match="password") as caught:
        async with serving(Config(port=0, redis=url)):
            pass
    assert "wrong@" not in str(caught.value)
    async with serving(Config(port=0, redis=url.replace("wrong", "right"))):
        pass


async def test_a_user_that_nothing_may_be_pushed_to(stack: AsyncExitStack, tmp_path: Path) -> None:
    rights = ("app", "on", ">secret", "~nsroom:*", "+@all")
    server = await stack.enter_async_context(valkey(tmp_path, "--user", *rights))
    url = server.url.replace("redis://", "redis://app:secret@")
    with pytest.raises(BusError, match=r"[Nn]o permissions to access .*channel"):
        async with serving(Config(port=0, redis=url)):
            pass
    async with Redis.from_url(server.url) as redis:
        await redis.acl_setuser("app", enabled=True, channels=["nsroom:*"])
    async with serving(Config(port=0, redis=url)):
        pass


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "redis://localhost:port"])
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match="URL of Redis"):
        async with serving(Config(port=0, redis=url)):
            pass


def test_the_history_is_in_redis(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kept there"):
        Config(redis="redis://localhost", history=tmp_path / "h.db")
    assert "secret" not in repr(Config(redis="redis://:secret@localhost"))
