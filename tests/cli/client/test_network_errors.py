"""Errors of name resolution, TCP and TLS, each in one line."""

import asyncio
import errno
import os
import re
import socket
import ssl
from contextlib import AsyncExitStack

import pytest

from nsroom.client.network_errors import explain_os_error
from tests.peers import bad


def failure(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (failure(errno.ECONNREFUSED), "nothing listens on example.org port 80: start the server"),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] a, [Errno 1] b"),
            "nothing listens on example.org port 80",
        ),
        (failure(errno.EHOSTUNREACH), "no route to example.org: is the network, or a VPN, up?"),
        (failure(errno.ENETUNREACH), "no route to example.org: is the network, or a VPN, up?"),
        (socket.gaierror(-2, "Name or service not known"), "no such host: example.org"),
        (failure(errno.ECONNRESET), "it reset the connection: no HTTP server"),
        (failure(errno.EPIPE), None),
        (TimeoutError(), None),
        (ConnectionResetError("without a number"), None),
    ],
)
def test_a_cause_below_http_is_named(error: OSError, text: str | None) -> None:
    explained = explain_os_error(error, "example.org", 80)
    assert explained is None if text is None else text in str(explained)


@pytest.mark.parametrize("code", [errno.ECONNREFUSED, errno.EHOSTUNREACH])
def test_without_a_host_only_resets_are_explained(code: int) -> None:
    assert explain_os_error(failure(code)) is None
    assert explain_os_error(failure(errno.ECONNRESET))


async def test_a_server_without_tls(stack: AsyncExitStack) -> None:
    url = await stack.enter_async_context(bad.html())
    port = int(url.rpartition(":")[2])
    with pytest.raises(ssl.SSLError) as raised:
        await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())
    assert explain_os_error(raised.value) == "no TLS on this port: use http:// instead of https://"


def test_an_untrusted_certificate() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 18, "self-signed certificate"
    assert re.match(r"its certificate is not trusted \(self-signed", str(explain_os_error(error)))
