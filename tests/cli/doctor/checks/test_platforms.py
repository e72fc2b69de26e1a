"""Platforms and their response headers."""

import pytest
from multidict import CIMultiDict

from nsroom.doctor.checks.platforms import known_platform


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"X-Vercel-Id": "fra1"}, ("Vercel", True)),
        ({"Server": "Netlify"}, ("Netlify", True)),
        ({"Apigw-Requestid": "x"}, ("AWS API Gateway", True)),
        ({"CF-RAY": "x", "Server": "cloudflare"}, ("Cloudflare", False)),
        ({"Via": "1.1 vegur"}, ("Heroku", False)),
        ({"Server": "nginx"}, (None, False)),
        ({}, (None, False)),
    ],
)
def test_platforms(headers: dict[str, str], known: tuple[str | None, bool]) -> None:
    assert known_platform(CIMultiDict(headers)) == known
