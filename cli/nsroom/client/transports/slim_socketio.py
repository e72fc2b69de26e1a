"""Import python-socketio and python-engineio without their optional back ends, and check their names.

We override and call private names of both packages, which any release may rename. The versions that work are
pinned, but a package can be updated after ours was installed.
"""

import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any

# Before python-engineio imports aiohttp.
from nsroom.client.transports.slim_aiohttp import IS_LIBRARY
from nsroom.errors import ConnectError


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Make imports of these optional packages fail, because they take long."""
    modules: dict[str, Any] = sys.modules
    absent = set() if IS_LIBRARY else set(names) - modules.keys()
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


with _without("redis", "valkey", "kombu", "aio_pika", "zmq", "requests", "websocket"):
    import engineio as engineio
    import socketio as socketio

SILENT = logging.getLogger("nsroom.silent")
"""A logger for both packages, which print their log without one; the user sees the same as Records."""
SILENT.disabled = True


def check_names() -> None:
    """Check that both packages have the undocumented names that we override, call, read or set.

    Raises: ConnectError with the package, its version and how to install a supported one.
    """
    overridden = ("_engineio_client_class", "_handle_eio_connect", "_handle_eio_disconnect")
    _check("python-socketio", socketio.AsyncClient, overridden)
    methods = ("_get_engineio_url", "_reset", "_send_packet", "_send_request")
    _check("python-engineio", engineio.AsyncClient, methods)
    _check("python-engineio", engineio.base_client, ("connected_clients",))
    _check("python-engineio", engineio.payload.Payload, ("max_decode_packets",))
    client = socketio.AsyncClient(handle_sigint=False, logger=SILENT, engineio_logger=SILENT)
    _check("python-socketio", client, ("connection_namespaces", "eio", "sid"))
    attributes = (
        "base_url",
        "ping_interval",
        "read_loop_task",
        "request_timeout",
        "state",
        "write_loop_task",
    )
    _check("python-engineio", client.eio, (*attributes, "ws"))


def _check(package: str, owner: object, names: Iterable[str]) -> None:
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        from importlib.metadata import requires, version

        supported = next(text for text in requires("nsroom") or () if text.startswith(package))
        raise ConnectError(
            f"{package} {version(package)} does not work with this nsroom (it has no {missing[0]}): "
            f"pip install '{supported}'"
        )
