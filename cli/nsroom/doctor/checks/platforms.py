"""Recognise the hosting platform of a server by its headers."""

from collections.abc import Mapping

from nsroom.doctor.checks.handshake import polling_handshake
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, ok, skip, warn
from nsroom.doctor.fixes import network as fixes

_PLATFORMS = (
    # Header, a part of its value, the platform, and whether it is serverless.
    ("x-vercel-id", "", "Vercel", True),
    ("x-nf-request-id", "", "Netlify", True),
    ("server", "netlify", "Netlify", True),
    ("apigw-requestid", "", "AWS API Gateway", True),
    ("x-amz-apigw-id", "", "AWS API Gateway", True),
    ("x-amzn-remapped-date", "", "AWS Lambda", True),
    ("x-azure-functions-invocationid", "", "Azure Functions", True),
    ("cf-ray", "", "Cloudflare", False),
    ("x-amz-cf-id", "", "Amazon CloudFront", False),
    ("fly-request-id", "", "Fly.io", False),
    ("x-render-origin-server", "", "Render", False),
    ("x-railway-request-id", "", "Railway", False),
    ("x-azure-ref", "", "Azure Front Door", False),
    ("via", "vegur", "Heroku", False),
    ("server", "heroku", "Heroku", False),
    ("server", "google frontend", "Google Cloud", False),
    ("server", "awselb", "an AWS load balancer", False),
)


async def check_platform(examination: Examination) -> Finding:
    """Check that the platform keeps processes running between requests."""
    answer = (await polling_handshake(examination)).answer
    if answer is None:
        return skip("no answer, so no headers")
    name, serverless = known_platform(answer.headers)
    if name is None:
        return ok("the headers name no known platform")
    if serverless:
        found = f"{name}: its functions end after each answer, so they cannot keep a session or a WebSocket"
        return warn(found, *fixes.serverless())
    return ok(name)


def known_platform(headers: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the platform, or None, and whether it is serverless."""
    for header, part, name, serverless in _PLATFORMS:
        value = headers.get(header)
        if value is not None and part in value.lower():
            return name, serverless
    return None, False
