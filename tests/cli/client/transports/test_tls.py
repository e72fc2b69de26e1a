"""Client certificates, and every server that refuses TLS."""

import contextlib
import json
import socketserver
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from nsroom.client.transports.tls import client_context
from nsroom.errors import UsageError
from tests.peers.certificate import certificate, encrypted_key
from tests.peers.program import Runner

TLS = Path(__file__).parents[2] / "tls"
AUTHORITY, ISSUED = str(TLS / "authority.pem"), str(TLS / "issued.pem")
CERT, KEY = str(TLS / "cert.pem"), str(TLS / "key.pem")


class Https(socketserver.ThreadingTCPServer):
    """Answers every request with 404, if the client's certificate is right.

    It uses blocking sockets, because asyncio does not send the alert of a handshake that it refuses.
    """

    def __init__(self, cert: str, version: ssl.TLSVersion, asks: bool) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.context.load_cert_chain(TLS / cert, KEY if cert == "cert.pem" else None)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            self.context.minimum_version = self.context.maximum_version = version
        if asks:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(AUTHORITY)


class Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Https)
        wrap = self.server.context.wrap_socket
        with contextlib.suppress(OSError), wrap(self.request, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(OSError):  # unread data would make the end a reset, which discards the alert
            while self.request.recv(4096):
                continue


@contextlib.contextmanager
def https(
    cert: str = "cert.pem", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, asks: bool = False
) -> Iterator[str]:
    """Serve HTTPS; yield the URL."""
    with Https(cert, version, asks) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate(
    transport: str, version: ssl.TLSVersion, nsroom: Runner, tmp_path: Path, stack: AsyncExitStack
) -> None:
    url = stack.enter_context(https(version=version, asks=True))
    other, other_key = await certificate(tmp_path)
    line = ("call", "x", "-u", url, "--cacert", CERT, "--transport", transport)
    accepted = await nsroom(*line, "--cert", ISSUED)
    assert (accepted.code, "HTTP 404" in accepted.stderr) == (3, True)
    for options in ((), ("--cert", str(other), "--key", str(other_key))):
        refused = await nsroom(*line, *options)
        assert (refused.code, "client certificate" in refused.stderr) == (3, True), refused.stderr


async def test_doctor_asks_for_a_client_certificate(nsroom: Runner, stack: AsyncExitStack) -> None:
    url = stack.enter_context(https(asks=True))
    line = ("doctor", url, "--json", "--cacert", CERT)
    failed = [each for each in map(json.loads, (await nsroom(*line)).lines) if each["state"] == "failed"]
    assert "client certificate" in failed[0]["found"]
    assert "--cert client.pem --key client.key" in failed[0]["fixes"][0]["text"]
    checks = map(json.loads, (await nsroom(*line, "--cert", ISSUED)).lines)
    assert next(each for each in checks if each["check"] == "tls")["state"] == "ok"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(
    ("cert", "version", "text", "advises_cacert"),
    [
        ("elsewhere.pem", ssl.TLSVersion.TLSv1_3, "is for another host", False),
        ("expired.pem", ssl.TLSVersion.TLSv1_3, "is not valid now", False),
        ("issued.pem", ssl.TLSVersion.TLSv1_3, "is not trusted", True),
        ("cert.pem", ssl.TLSVersion.TLSv1, "only TLS 1.0 or 1.1", False),
        ("cert.pem", ssl.TLSVersion.TLSv1_1, "only TLS 1.0 or 1.1", False),
    ],
)
async def test_why_tls_fails(
    transport: str,
    cert: str,
    version: ssl.TLSVersion,
    text: str,
    advises_cacert: bool,
    nsroom: Runner,
    stack: AsyncExitStack,
) -> None:
    url = stack.enter_context(https(cert, version))
    trusted = CERT if advises_cacert or cert == "cert.pem" else AUTHORITY
    result = await nsroom("call", "x", "-u", url, "--cacert", trusted, "--transport", transport)
    assert (result.code, text in result.stderr) == (3, True), result.stderr
    assert ("--cacert" in result.stderr) is advises_cacert


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        (None, KEY, "--key needs --cert"),
        ("/dev/null/x", KEY, "--cert: cannot read /dev/null/x: Not a directory"),
        (CERT, "/dev/null/x", "--key: cannot read /dev/null/x"),
        (CERT, str(TLS), "Is a directory"),
        (KEY, KEY, "--cert: .* has no 'CERTIFICATE-----' line"),
        (CERT, None, "without --key.* has no 'PRIVATE KEY-----' line"),
        (CERT, CERT, "--key: .* has no 'PRIVATE KEY-----' line"),
        ("/dev/null", None, "--cert: /dev/null has no"),
    ],
)
def test_a_certificate_that_cannot_be_used(cert: str | None, key: str | None, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        client_context(False, None, cert, key)


async def test_a_key_of_another_certificate_and_one_with_a_passphrase(tmp_path: Path) -> None:
    _, other = await certificate(tmp_path)
    with pytest.raises(UsageError, match=r"key\.pem does not belong to the certificate .*cert\.pem"):
        client_context(False, None, CERT, str(other))
    with pytest.raises(UsageError, match=r"encrypted\.pem has a passphrase: write a key without one"):
        client_context(False, None, CERT, str(await encrypted_key(tmp_path)))


def test_a_certificate_and_its_key_in_one_file(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text(Path(CERT).read_text() + Path(KEY).read_text())
    assert client_context(True, None, str(both)).verify_mode is ssl.CERT_NONE
