"""Where a redirect of the handshake leads."""

import pytest

from nsroom.client.target import Target
from nsroom.doctor.checks.handshake import parse_redirect
from nsroom.doctor.examination import Examination, Extras
from nsroom.doctor.probes.http import HttpClient


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("https://example.org/socket.io/?EIO=4", ("https://example.org", "/socket.io/")),
        ("/api/socket.io/", ("http://localhost:3000", "/api/socket.io/")),
        ("/socket.io", ("http://localhost:3000", "/socket.io")),
        ("https://example.org/api/socket.io?EIO=4", ("https://example.org", "/api/socket.io")),
        ("/login", (None, "")),
        ("http://[", (None, "")),
        ("", (None, "")),
    ],
)
def test_redirects(location: str, to: tuple[str | None, str]) -> None:
    examination = Examination(Target(), Extras(), HttpClient(Target()))
    assert parse_redirect(location, examination) == to
