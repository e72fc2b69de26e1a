"""Responses to a polling handshake: Engine.IO or something else."""

import pytest
from multidict import CIMultiDict

from nsroom.doctor.probes.handshake import PollingHandshake
from nsroom.doctor.probes.http import Response


@pytest.mark.parametrize(
    ("status", "body", "revision", "is_engineio"),
    [
        (200, b'0{"sid":"x"}', 4, True),
        (200, b'96:0{"sid":"x"}2:40', 3, True),
        (200, b'\x00\x01\x02\xff0{"sid":"x"}', 3, True),
        (200, b"<html>", None, False),
        (200, b"", None, False),
        (400, b'{"code":0,"message":"Transport unknown"}', None, True),
        (400, b'"Invalid transport"', None, True),
        (500, b'{"error":"internal"}', None, False),
        (404, b'{"message":"Not Found"}', None, False),
        (400, b"[" * 10_000, None, False),
    ],
)
def test_engineio_is_recognised(status: int, body: bytes, revision: int | None, is_engineio: bool) -> None:
    handshake = PollingHandshake(Response(status, CIMultiDict(), body, {}))
    assert (handshake.revision, handshake.is_engineio) == (revision, is_engineio)


@pytest.mark.parametrize(
    ("body", "is_unknown"),
    [
        (b'{"code":0,"message":"Transport unknown"}', True),
        (b'"Invalid transport"', True),
        (b'{"code":4,"message":"Forbidden"}', False),
        (b"<html>", False),
    ],
)
def test_a_server_without_polling_is_recognised(body: bytes, is_unknown: bool) -> None:
    handshake = PollingHandshake(Response(400, CIMultiDict(), body, {}))
    assert handshake.is_transport_unknown is is_unknown
