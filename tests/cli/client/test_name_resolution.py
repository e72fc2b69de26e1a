"""--resolve replaces the address of a host and port, and only that."""

import asyncio

import pytest

from nsroom.cli.run import EventLoop
from nsroom.client import name_resolution
from nsroom.client.name_resolution import use
from nsroom.errors import UsageError


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_resolution, "_ADDRESSES", {})


def look_up(host: str, port: int) -> set[str]:
    async def run() -> set[str]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
        return {each[4][0] for each in found}

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        return runner.run(run())


def test_the_address_of_a_host_and_port() -> None:
    use(["Example.org:443:127.0.0.7", "six.example:80:[::1]"])
    assert look_up("example.org", 443) == {"127.0.0.7"}
    assert look_up("six.example", 80) == {"::1"}
    assert look_up("127.0.0.1", 80) == {"127.0.0.1"}


@pytest.mark.parametrize(
    "text", ["", "x", "a:b", "a:80:", ":80:127.0.0.1", "a:x:127.0.0.1", "a:80:name", "a:99999:::1"]
)
def test_other_texts(text: str) -> None:
    with pytest.raises(UsageError, match="write it as HOST:PORT:ADDRESS"):
        use([text])
