"""The log of what clients do, on a real server."""

import logging
from typing import Any

import aiohttp
import pytest

from nsroom_server.logs import TextFormatter
from nsroom_server.settings.limits import Limits
from tests.server.member import Connect, Serve
from tests.server.wire import endpoint

SECRET = "s3cr3t"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the log, without their times."""
    return [TextFormatter().format(record).split(" ", 2)[2] for record in caplog.records]


async def test_a_visit(serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nsroom_server")
    running = await serve()
    ann = await connect(running, "/chat", transport="polling")
    sid = ann.sid
    await ann.call("message", "hello")
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    await ann.call("message", {"room": "lobby", "text": "hé"})
    await ann.call("leave", "lobby")
    await ann.call("leave", "lobby")
    await ann.client.disconnect()
    assert lines(caplog)[:7] == [
        f"someone connected namespace=/chat sid={sid} address=127.0.0.1 transport=polling",
        f"/chat {sid[:6]} message bytes=5",
        "/chat ann joined room=lobby",
        "/chat ann message room=lobby bytes=3",
        "/chat ann left room=lobby",
        "/chat ann refused event=leave error=not_a_member",
        '/chat ann disconnected reason="client disconnect"',
    ]


async def test_every_event(serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "nsroom_server")
    ann = await connect(await serve(), "/lab")
    await ann.call("echo", b"12")
    sid = ann.sid[:6]
    said = lines(caplog)
    assert "sent namespace=/lab event=hi bytes=25 recipients=1" in said
    assert f"/lab {sid} received event=echo bytes=49 id=1" in said
    assert any(line.startswith(f"sent namespace=/lab event=echo to={ann.sid[:9]}") for line in said)


async def test_refused_requests_name_the_option(
    serve: Serve, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve(transports=("polling",), limits=Limits(connections_per_address=1))
    url = endpoint(running, "polling")
    asked: list[tuple[str, dict[str, str]]] = [
        (url, {"Origin": "http://localhost:5173"}),
        (url, {"Host": "evil.example"}),
        (endpoint(running, "websocket"), {}),
        (url.replace("EIO=4", "EIO=3"), {}),
        (url, {}),
        (url, {}),
    ]
    statuses = []
    for each, headers in asked:
        async with http.get(each, headers=headers) as response:
            statuses.append(response.status)
    assert statuses == [403, 403, 400, 400, 200, 429]
    assert [line.partition(";")[0] for line in lines(caplog)] == [
        "refused a page of http://localhost:5173",
        "refused a request for evil.example",
        "refused websocket",
        "refused a client of Socket.IO 2 or older: it needs version 3 or later",
        "refused more connections",
    ]


@pytest.mark.parametrize(
    ("namespace", "auth", "line"),
    [
        (
            "/chat",
            None,
            'refused a client without a token; it must send {"token": …} with the value of --token',
        ),
        ("/chat", {"token": "x"}, "refused a client with another token; it must send"),
        ("/game", {"token": SECRET}, "refused a namespace /game; offer it with --any-namespace or"),
    ],
)
async def test_refused_clients_name_the_option(
    serve: Serve,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    namespace: str,
    auth: Any,
    line: str,
) -> None:
    ann = await connect(await serve(token=SECRET), namespace, auth=auth, wait=False)
    await ann.refused()
    assert [each for each in lines(caplog) if each.startswith(line)]
    assert SECRET not in caplog.text


async def test_too_many_events_name_the_limit(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await connect(await serve(limits=Limits(events_per_second=100, events_burst=1)))
    assert (await ann.call("rooms"))["ok"]
    assert (await ann.call("rooms"))["error"] == "rate_limited"
    assert lines(caplog) == ["refused more events; raise --limit events_per_second (it is 100)"]
