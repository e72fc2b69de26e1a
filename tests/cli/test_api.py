"""The Python interface: its public names, and a client of the reference server."""

import subprocess
import sys
from inspect import getdoc
from pathlib import Path

import pytest

import nsroom
from nsroom import api
from tests.cli.clients import Reference

STUB = Path(nsroom.__file__).with_suffix(".pyi").read_text()
GUIDE = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
METHODS = [name for name in vars(nsroom.Client) if not name.startswith("_")]


@pytest.mark.parametrize("name", api.__all__)
def test_a_public_name_is_typed_and_documented(name: str) -> None:
    assert getattr(nsroom, name) is getattr(api, name)
    assert f"from nsroom.api import {name} as {name}\n" in STUB
    assert getdoc(getattr(api, name))
    assert f"`{name}" in GUIDE or f"nsroom.{name}" in GUIDE


def test_there_are_no_others() -> None:
    assert STUB.count("import") == len(api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nsroom.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_documented(name: str) -> None:
    assert getdoc(getattr(nsroom.Client, name))
    assert f"client.{name}" in GUIDE


def test_importing_it_changes_nothing_in_the_process() -> None:
    code = """if True:
        import nsroom, ssl, sys
        before = ssl.create_default_context
        nsroom.connect
        import nsroom.client.transports.python_socketio, aiohttp, socketio
        assert ssl.create_default_context is before
        assert [name for name, module in sys.modules.items() if module is None] == []
        assert aiohttp.connector._SSL_CONTEXT_VERIFIED.verify_mode == ssl.CERT_REQUIRED
        assert aiohttp.connector._SSL_CONTEXT_VERIFIED.get_ca_certs() == before().get_ca_certs()
        assert socketio.Client().eio
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


async def test_events_answers_and_expectations(reference: Reference, transport: str) -> None:
    server = await reference()
    async with (
        nsroom.connect(f"{server.url}/chat", auth={"token": "x"}, transport=transport) as ann,
        nsroom.connect(server.url, "/chat", "/lab", transport=transport) as bob,
    ):
        await ann.join("lobby")
        await bob.join("lobby")
        sent = await ann.call("message", {"room": "lobby", "text": "hi"})
        received = await bob.expect("event=message & arg.0.text=hi", within=20)
        assert received.args is not None
        assert sent.args is not None
        assert received.args[0]["id"] == sent.args[0]["id"]
        bob.reply("question", "because", b"\0")
        answer = await bob.call("ask", {"event": "question"}, namespace="/lab")
        assert answer.args is not None
        assert answer.args[0]["answer"] == ["because", b"\0"]
        await bob.emit("echo", b"\1", namespace="/lab")
        assert (await bob.expect("event=echo")).args == [b"\1"]
        await bob.never("event=echo", during=0.01)
        assert list(bob.namespaces) == ["/chat", "/lab"]
        assert bob.records[-1].kind in ("event", "ack", "ping", "pong")
        await bob.disconnect()


async def test_what_fails_says_why(reference: Reference) -> None:
    server = await reference()
    async with nsroom.connect(f"{server.url}/lab") as client:
        await client.call("echo", 6)
        with pytest.raises(nsroom.ExpectationError) as missed:
            await client.expect("event=echo & arg.0=7", within=0.01)
        assert "no event=echo & arg.0=7; waited 0.01 s" in str(missed.value)
        assert "arg.0=7, but it is 6" in str(missed.value)
        with pytest.raises(nsroom.ExpectationError, match="event=echo was received"):
            await client.never("event=echo", during=20)
        with pytest.raises(nsroom.WaitError, match="no acknowledgement of 'never'"):
            await client.call("never", timeout=0.05)
        with pytest.raises(nsroom.UsageError, match="column 1"):
            await client.expect("=")
    with pytest.raises(nsroom.LostError):
        await client.emit("echo")


async def test_a_client_that_cannot_connect(reference: Reference) -> None:
    server = await reference()
    with pytest.raises(nsroom.RefusedError, match="/nope"):
        async with nsroom.connect(server.url, "/nope", "/lab"):
            pass
    with pytest.raises(nsroom.ConnectError, match="nothing listens"):
        async with nsroom.connect("http://127.0.0.1:1"):
            pass
    with pytest.raises(nsroom.UsageError, match="unknown transport 'tcp'"):
        async with nsroom.connect(server.url, transport="tcp"):
            pass
