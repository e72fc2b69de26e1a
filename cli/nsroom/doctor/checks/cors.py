"""CORS check: does a browser let a page of another origin use the server?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from yarl import URL

from nsroom.doctor.checks.transports import offered_transports
from nsroom.doctor.checks.versions import detect_revision
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, Fixes, fail, ok, skip
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import NoResponse, Response, UpgradeRefused
from nsroom.doctor.probes.wires import WebSocketWire
from nsroom.protocol.refusals import parse_engine_error

_ALLOW = "Access-Control-Allow-Origin"
_CREDENTIALS = "Access-Control-Allow-Credentials"
_SAFE_HEADERS = frozenset(["accept", "accept-language", "content-language"])
"""Request headers that a browser sends without a preflight."""


async def check_cors(examination: Examination) -> Finding:
    """Send the handshakes and the preflight that a browser would send for a page of --origin."""
    origin = examination.extras.origin
    if origin is None:
        return skip("use --origin with the page's origin, e.g. https://app.example.org")
    if is_same_origin(origin, examination.target.url):
        return ok("page and server have the same origin: CORS does not apply")
    query = {"EIO": str(await detect_revision(examination) or 4), "transport": "polling"}
    polling, websocket = await offered_transports(examination)
    if polling and examination.uses_polling:
        response = await examination.http.request("GET", query, headers={"Origin": origin})
        # Cookies need permission of their own.
        finding = judge_response(response, origin, bool(examination.target.cookies))
        if finding := finding or await _preflight(examination, origin, query):
            return finding
    if websocket and examination.uses_websocket:
        finding = await _websocket(examination, origin, query)
        if finding:
            return finding
    return ok(f"a page of {origin} is accepted")


def is_same_origin(origin: str, url: str) -> bool:
    """Return whether a page's origin is that of the server."""
    try:
        return URL(origin).origin() == URL(url).origin()
    except ValueError:
        return False


def judge_response(response: Response, origin: str, credentials: bool) -> Finding | None:
    """Return why a browser would not let the page read a response, or None if it would."""
    allowed = _values(response, _ALLOW)
    remedy = fixes.cors(origin, credentials)
    if response.status != 200:
        reason = parse_engine_error(response.text)[1] or "refused"
        return fail(f"with this Origin, HTTP {response.status}: {reason}", *remedy)
    if not allowed:
        return fail(f"no {_ALLOW}: the browser hides the response from the page", *remedy)
    if finding := _judge_origin(allowed, origin, credentials, remedy):
        return finding
    if credentials and (found := _values(response, _CREDENTIALS)) != ["true"]:
        if len(found) > 1:
            return fail(_sent_twice(_CREDENTIALS, found), *fixes.cors_twice(_CREDENTIALS))
        return fail(f"cookies are sent, but {_CREDENTIALS} is not true", *remedy)
    return None


def _values(response: Response, header: str) -> list[str]:
    """Return the values of a header that is repeated, or lists them with commas."""
    lines = response.headers.getall(header, [])
    return [value.strip() for line in lines for value in line.split(",")]


def _judge_origin(allowed: Sequence[str], origin: str, credentials: bool, remedy: Fixes) -> Finding | None:
    """Return why a browser would not accept these values of Access-Control-Allow-Origin, or None."""
    if len(allowed) > 1:
        return fail(_sent_twice(_ALLOW, allowed), *fixes.cors_twice(_ALLOW))
    if allowed[0] == "*" and credentials:
        return fail(f"{_ALLOW} is *, which browsers reject for requests with cookies", *remedy)
    if allowed[0] not in (origin, "*"):
        return fail(f"{_ALLOW} is {allowed[0][:100]}, not {origin}", *remedy)
    return None


def _sent_twice(header: str, values: Sequence[str]) -> str:
    times = "twice" if len(values) == 2 else f"{len(values)} times"
    return f"{header} is sent {times} ({' and '.join(dict.fromkeys(values))[:100]}), which browsers reject"


def preflighted_headers(headers: Mapping[str, str]) -> list[str]:
    """Return the headers that need a preflight."""
    return [name for name in headers if name.lower() not in _SAFE_HEADERS]


async def _preflight(examination: Examination, origin: str, query: Mapping[str, str]) -> Finding | None:
    """Send a preflight if the target has headers that need one."""
    names = preflighted_headers(examination.target.headers)
    if not names:
        return None
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": ", ".join(name.lower() for name in sorted(names)),
    }
    response = await examination.http.request("OPTIONS", query, headers=headers)
    return judge_preflight(response, origin, names, bool(examination.target.cookies))


def judge_preflight(
    response: Response, origin: str, names: Sequence[str], credentials: bool = False
) -> Finding | None:
    """Return why a browser would not send the request after this preflight, or None if it would."""
    remedy = fixes.cors_headers(origin, list(names))
    if not 200 <= response.status < 300:
        return fail(f"the preflight (OPTIONS) is answered with HTTP {response.status}", *remedy)
    if not (allowed := _values(response, _ALLOW)):
        return fail("the preflight (OPTIONS) does not allow the origin", *remedy)
    if finding := _judge_origin(allowed, origin, credentials, remedy):
        return replace(finding, found=f"the preflight (OPTIONS): {finding.found}")
    listed = {name.lower() for name in _values(response, "Access-Control-Allow-Headers")}
    # Browsers do not count * for Authorization, or with cookies.
    any_other = "*" in listed and not credentials
    refused = [
        name
        for name in names
        if name.lower() not in listed and not (any_other and name.lower() != "authorization")
    ]
    if refused:
        return fail(f"the preflight does not allow the header {', '.join(refused)}", *remedy)
    return None


async def _websocket(examination: Examination, origin: str, query: Mapping[str, str]) -> Finding | None:
    """Check whether the server refuses WebSockets from this origin; browsers do not check them."""
    try:
        ws = await examination.http.websocket({**query, "transport": "websocket"}, headers={"Origin": origin})
    except UpgradeRefused as error:
        return fail(
            f"WebSockets from this Origin are refused, HTTP {error.status}", *fixes.cors(origin, False)
        )
    except NoResponse:
        return None  # reported by the websocket check
    await WebSocketWire(ws).close()
    return None
