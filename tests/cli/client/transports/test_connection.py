"""One connection: the request, TLS, and sizes."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from nsroom.client.events import Emit
from nsroom.errors import ConnectError, LimitError, UsageError
from tests.cli.clients import WAIT, Connect, Reference, answer
from tests.cli.scripted import Polling, stock
from tests.peers import bad

TLS = Path(__file__).parents[2] / "tls"


# The request


async def test_the_request_of_the_handshake(stack: AsyncExitStack, connect: Connect, transport: str) -> None:
    seen: list[tuple[Any, Any]] = []
    url, _ = await stack.enter_async_context(
        stock(lambda _sid, environ, auth: seen.append((environ["aiohttp.request"], auth)), path="a/b")
    )
    await connect(
        url,
        path="/a/b/",
        transport=transport,
        auth={"token": "é", "n": 1},
        headers={"X-Trace": "7", "User-Agent": "mine"},
        cookies={"session": "c00kie"},
        query=(("tenant", "a b"), ("tenant", "&")),
    )
    ((request, auth),) = seen
    assert auth == {"token": "é", "n": 1}
    assert (request.headers["X-Trace"], request.headers["User-Agent"]) == ("7", "mine")
    assert request.cookies == {"session": "c00kie"}
    assert request.query.getall("tenant") == ["a b", "&"]
    assert (request.path, request.query["EIO"], request.query["transport"]) == ("/a/b/", "4", transport)
    assert "Origin" not in request.headers


# TLS


@pytest.fixture
async def https(reference: Reference) -> str:
    """The reference server with a self-signed certificate."""
    return (await reference(tls_cert=TLS / "cert.pem", tls_key=TLS / "key.pem")).url


async def test_a_certificate_of_an_unknown_authority(https: str, connect: Connect, transport: str) -> None:
    with pytest.raises(
        ConnectError, match=r"certificate is not trusted \(self.signed certificate\).*--cacert"
    ):
        await connect(https, transport=transport)


@pytest.mark.parametrize("option", [{"insecure": True}, {"cacert": str(TLS / "cert.pem")}])
async def test_a_certificate_is_trusted_when_asked_to(
    https: str, connect: Connect, transport: str, option: dict[str, Any]
) -> None:
    client = await connect(https, transport=transport, **option)
    assert (await answer(client, "rooms"))[0]["ok"]


async def test_a_certificate_for_another_name(reference: Reference, connect: Connect) -> None:
    server = await reference(host="127.0.0.2", tls_cert=TLS / "cert.pem", tls_key=TLS / "key.pem")
    with pytest.raises(ConnectError, match=r"certificate is for another host \(.*127\.0\.0\.2.*\)"):
        await connect(server.url, cacert=str(TLS / "cert.pem"))


@pytest.mark.parametrize("file", ["/no/such/file", str(TLS / "key.pem"), __file__])
async def test_an_authority_that_cannot_be_read(https: str, connect: Connect, file: str) -> None:
    with pytest.raises(UsageError, match=f"--cacert: cannot use {file}: "):
        await connect(https, cacert=file)


async def test_a_server_without_tls(reference: Reference, connect: Connect) -> None:
    server = await reference()
    with pytest.raises(ConnectError, match="no TLS on this port: use http://"):
        await connect(server.url.replace("http:", "https:"))


# Sizes


async def test_an_event_that_is_too_large(reference: Reference, connect: Connect, transport: str) -> None:
    server = await reference(max_payload=1000)
    client = await connect(server.url, "/lab", transport=transport)
    with pytest.raises(LimitError, match="the server accepts at most 1000"):
        await client.emit(Emit("/lab", "echo", ["x" * 1000]))
    assert await answer(client, "echo", "x" * 900, namespace="/lab") == ["x" * 900]


async def test_binary_data_is_measured_as_sent(stack: AsyncExitStack, connect: Connect) -> None:
    """Polling sends it as base64, which is a third larger."""
    websocket = await connect(await stack.enter_async_context(bad.sends(handshake={"maxPayload": 1000})))
    polling = await connect(
        await stack.enter_async_context(Polling(maxPayload=1000).listening()), transport="polling"
    )
    for client, largest in ((websocket, 1000), (polling, 747)):
        await client.emit(Emit("/", "x", [bytes(largest)]))
        with pytest.raises(LimitError, match="the server accepts at most 1000"):
            await client.emit(Emit("/", "x", [bytes(largest + 3)]))


async def test_a_password_in_the_url_is_used_and_not_shown(
    stack: AsyncExitStack, connect: Connect, transport: str
) -> None:
    said: list[str] = []
    seen: list[str] = []
    url, _ = await stack.enter_async_context(
        stock(lambda _sid, environ, _auth: seen.append(environ["HTTP_AUTHORIZATION"]))
    )
    await connect(url.replace("//", "//ann:s3cret@"), transport=transport, say=said.append)
    assert seen == ["Basic YW5uOnMzY3JldA=="]
    assert said == [f"connected to {url} over {transport}"]
    with pytest.raises(ConnectError) as caught:
        await connect("http://ann:s3cret@127.0.0.1:1")
    assert "s3cret" not in str(caught.value)


async def test_settling_waits_for_the_server(reference: Reference, connect: Connect, transport: str) -> None:
    server = await reference()
    client = await connect(server.url, "/lab", transport=transport)
    await client.emit(*(Emit("/lab", "echo", [n]) for n in range(100)))
    await client.settle(WAIT)
