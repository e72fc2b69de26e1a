"""How answers over HTTP are recognised as Engine.IO, and redirects as Socket.IO servers."""

import pytest
from multidict import CIMultiDict

from nsroom.client.target import Target
from nsroom.doctor.checks.handshake import PollingHandshake, redirected
from nsroom.doctor.examination import Examination, Options
from nsroom.doctor.probes.http import Answer, HttpClient


@pytest.mark.parametrize(
    ("status", "body", "generation", "engine"),
    [
        (200, b'0{"sid":"x"}', 4, True),
        (200, b'96:0{"sid":"x"}2:40', 3, True),
        (200, b"<html>", None, False),
        (200, b"", None, False),
        (400, b'{"code":0,"message":"Transport unknown"}', None, True),
        (400, b'"Invalid transport"', None, True),
        (500, b'{"error":"internal"}', None, False),
        (404, b'{"message":"Not Found"}', None, False),
        (400, b"[" * 10_000, None, False),
    ],
)
def test_which_answers_are_engine_io(status: int, body: bytes, generation: int | None, engine: bool) -> None:
    handshake = PollingHandshake(Answer(status, CIMultiDict(), body, {}, {}))
    assert (handshake.generation, handshake.is_engine) == (generation, engine)


@pytest.mark.parametrize(
    ("body", "refuses"),
    [
        (b'{"code":0,"message":"Transport unknown"}', True),
        (b'"Invalid transport"', True),
        (b'{"code":4,"message":"Forbidden"}', False),
        (b"<html>", False),
    ],
)
def test_a_refused_transport(body: bytes, refuses: bool) -> None:
    assert PollingHandshake(Answer(400, CIMultiDict(), body, {}, {})).refuses_transport is refuses


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("https://example.org/socket.io/?EIO=4", ("https://example.org", "/socket.io/")),
        ("/api/socket.io/", ("http://localhost:3000", "/api/socket.io/")),
        ("/login", (None, "")),
        ("http://[", (None, "")),
        ("", (None, "")),
    ],
)
def test_redirects(location: str, to: tuple[str | None, str]) -> None:
    examination = Examination(Target(), Options(), HttpClient(Target()))
    assert redirected(location, examination) == to
