"""The names that we override in python-socketio and python-engineio, and a version without them."""

import inspect
from importlib.metadata import requires, version
from typing import Any

import pytest

from nsroom.client.transports.python_socketio import Engine, Socket
from nsroom.client.transports.slim_socketio import check_names, engineio, socketio
from nsroom.errors import ConnectError
from tests.cli.clients import Connect, Reference

PACKAGES = {"socketio": "python-socketio", "engineio": "python-engineio"}


def test_the_installed_versions_have_every_name() -> None:
    check_names()


@pytest.mark.parametrize("kind", [Engine, Socket])
def test_overridden_methods_keep_their_parameters(kind: Any) -> None:
    base = kind.__mro__[1]
    overridden = [name for name in vars(kind) if hasattr(base, name) and not name.startswith("__")]
    assert overridden
    for name in overridden:
        ours, theirs = (list(inspect.signature(getattr(each, name)).parameters) for each in (kind, base))
        assert ours == theirs


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (socketio.AsyncClient, "_handle_eio_connect"),
        (socketio.AsyncClient, "_engineio_client_class"),
        (engineio.AsyncClient, "_send_request"),
        (engineio.AsyncClient, "_send_packet"),
        (engineio.base_client, "connected_clients"),
        (engineio.payload.Payload, "max_decode_packets"),
    ],
)
async def test_a_missing_name_is_reported_with_the_cure(
    owner: Any, name: str, reference: Reference, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await reference()
    package = PACKAGES[(owner.__module__ if isinstance(owner, type) else owner.__name__).partition(".")[0]]
    supported = next(text for text in requires("nsroom") or () if text.startswith(package))
    for each in getattr(owner, "__mro__", [owner]):
        if name in vars(each):
            monkeypatch.delattr(each, name)
    with pytest.raises(ConnectError) as raised:
        await connect(server.url, transport="polling")
    assert str(raised.value) == (
        f"{package} {version(package)} does not work with this nsroom (it has no {name}): "
        f"pip install '{supported}'"
    )
