"""Platform check: which hosting platform do the response headers reveal?"""

from collections.abc import Mapping

from nsroom.doctor.checks.handshake import polling_handshake
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, ok, skip, warn
from nsroom.doctor.fixes import network as fixes

_PLATFORMS = (
    # Header, part of its value, platform, whether it is serverless: functions that end after each response.
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
    """Check the response headers for the marks of a platform; warn about serverless ones."""
    response = (await polling_handshake(examination)).response
    if response is None:
        return skip("no response to inspect")
    name, is_serverless = known_platform(response.headers)
    if name is None:
        return ok("no known platform in the headers")
    if is_serverless:
        found = f"{name}: its functions end after each response, so they keep no sessions or WebSockets"
        return warn(found, *fixes.serverless())
    return ok(name)


def known_platform(headers: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the platform's name, or None, and whether it is serverless."""
    for header, part, name, is_serverless in _PLATFORMS:
        value = headers.get(header)
        if value is not None and part in value.lower():
            return name, is_serverless
    return None, False
