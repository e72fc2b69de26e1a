"""Checks before the load."""

import resource

import pytest

from nsroom.bench.plan import Load
from nsroom.bench.preflight import (
    check_connection,
    first_reachable,
    raise_file_limit,
    require_consent,
    resolve,
)
from nsroom.client.target import Target
from nsroom.errors import ConnectError, RefusedError, UsageError
from tests.cli.clients import Reference
from tests.peers import bad


@pytest.mark.parametrize(
    ("found", "yes", "is_refused"),
    [
        (["127.0.0.1", "::1"], False, False),
        (["127.0.0.1", "192.0.2.1"], False, True),
        (["fe80::1%eth0"], False, True),
        (["192.0.2.1"], True, False),
        ([], False, True),
    ],
)
def test_only_this_machine_is_loaded_without_consent(found: list[str], yes: bool, is_refused: bool) -> None:
    if not is_refused:
        require_consent(Target(), found, yes)
        return
    with pytest.raises(UsageError, match="not on this machine: add --yes"):
        require_consent(Target(), found, yes)


def test_the_file_limit_is_raised() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        raise_file_limit(Load(min(400, hard - 64)))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_clients_for_the_file_limit() -> None:
    with pytest.raises(UsageError, match="run `ulimit -n 10000064` first, or use more --workers"):
        raise_file_limit(Load(10_000_000))


async def test_addresses() -> None:
    assert await resolve(Target(url="http://127.0.0.1:3000")) == ["127.0.0.1"]
    with pytest.raises(ConnectError, match=r"no such host: no-such-host\.invalid"):
        await resolve(Target(url="http://no-such-host.invalid"))


async def test_a_proxy_looks_the_server_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "proxy:8080")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    target = Target(url="http://no-such-host.invalid")
    assert await resolve(target) == []
    assert await first_reachable(target, []) == "no-such-host.invalid"


async def test_the_first_address_that_accepts_connections(reference: Reference) -> None:
    target = Target(url=(await reference()).url, connect_timeout=2)
    assert await first_reachable(target, ["127.0.0.2", "127.0.0.1"]) in ("127.0.0.1", "127.0.0.2")
    assert await first_reachable(target, ["::1", "127.0.0.1"]) == "127.0.0.1"
    async with bad.refuses_connections() as url:
        assert await first_reachable(Target(url=url), ["127.0.0.1", "::1"]) == "::1"


async def test_a_connection_that_is_refused(reference: Reference) -> None:
    server = await reference()
    await check_connection(Target(url=server.url, namespaces=("/chat",)))
    with pytest.raises(RefusedError, match="Invalid namespace"):
        await check_connection(Target(url=server.url, namespaces=("/nope",)))
