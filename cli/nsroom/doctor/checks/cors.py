"""Check whether a browser lets a page of another origin talk to the server (CORS)."""

from collections.abc import Mapping, Sequence

from yarl import URL

from nsroom.doctor.checks.transports import offered
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import Answer, NoAnswer, UpgradeRefused
from nsroom.doctor.probes.wires import WebSocketWire, parse_refusal

_ALLOW = "Access-Control-Allow-Origin"
_SIMPLE = frozenset(["accept", "accept-language", "content-language"])
"""The request headers that a browser sends without a preflight."""


async def check_cors(examination: Examination) -> Finding:
    """Check a handshake, and its preflight if needed, as a browser sends it for a page of --origin."""
    origin = examination.options.origin
    if origin is None:
        return skip("needs the page's --origin, such as https://app.example.org")
    if same_origin(origin, examination.target.url):
        return ok("the page has the server's own origin, so CORS does not apply")
    query = {"EIO": str(await generation(examination) or 4), "transport": "polling"}
    polling, websocket = await offered(examination)
    if polling and examination.uses_polling and (fault := await _polling(examination, origin, query)):
        return fault
    if websocket and examination.uses_websocket and (fault := await _websocket(examination, origin, query)):
        return fault
    return ok(f"pages of {origin} can connect")


def same_origin(origin: str, url: str) -> bool:
    """Return whether a page's origin is that of the server."""
    try:
        return URL(origin).origin() == URL(url).origin()
    except ValueError:
        return False


async def _polling(examination: Examination, origin: str, query: Mapping[str, str]) -> Finding | None:
    answer = await examination.http.request("GET", query, headers={"Origin": origin})
    # With cookies, a browser needs the server to allow credentials.
    fault = judge(answer, origin, bool(examination.target.cookies))
    return fault or await _preflight(examination, origin, query)


def judge(answer: Answer, origin: str, credentials: bool) -> Finding | None:
    """Return why a browser would not let the page read an answer, or None."""
    named = answer.headers.get(_ALLOW)
    remedy = fixes.cors(origin, credentials)
    if answer.status != 200:
        reason = parse_refusal(answer.text)[1] or "refused"
        return fail(f"HTTP {answer.status} with this Origin: {reason}", *remedy)
    if answer.repeated.get(_ALLOW.lower(), 0) > 1 or (named and "," in named):
        return fail(f"{_ALLOW} is sent twice, which browsers reject", *fixes.cors_twice())
    if named is None:
        return fail(f"no {_ALLOW}: the browser hides the answer from the page", *remedy)
    if named == "*" and not credentials:
        return None
    if named != origin:
        return fail(f"{_ALLOW} is {named[:100]}, not {origin}", *remedy)
    if credentials and answer.headers.get("Access-Control-Allow-Credentials") != "true":
        return fail("cookies are sent, but Access-Control-Allow-Credentials is not true", *remedy)
    return None


def unusual(headers: Mapping[str, str]) -> list[str]:
    """Return the names of the headers that need a preflight."""
    return [name for name in headers if name.lower() not in _SIMPLE]


async def _preflight(examination: Examination, origin: str, query: Mapping[str, str]) -> Finding | None:
    names = unusual(examination.target.headers)
    if not names:
        return None
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": ", ".join(name.lower() for name in sorted(names)),
    }
    answer = await examination.http.request("OPTIONS", query, headers=headers)
    return judge_preflight(answer, origin, names)


def judge_preflight(answer: Answer, origin: str, names: Sequence[str]) -> Finding | None:
    """Return why a browser would not send the request after its preflight, or None."""
    remedy = fixes.cors_headers(origin, list(names))
    if not 200 <= answer.status < 300:
        return fail(f"the preflight (OPTIONS) is answered with HTTP {answer.status}", *remedy)
    if answer.headers.get(_ALLOW) not in (origin, "*"):
        return fail("the preflight (OPTIONS) does not allow the origin", *remedy)
    listed = answer.headers.get("Access-Control-Allow-Headers", "").lower()
    allowed = {name.strip() for name in listed.split(",")}
    refused = [name for name in names if name.lower() not in allowed and "*" not in allowed]
    if refused:
        return fail(f"the preflight does not allow the header {', '.join(refused)}", *remedy)
    return None


async def _websocket(examination: Examination, origin: str, query: Mapping[str, str]) -> Finding | None:
    """Return a failure if the server itself refuses WebSockets of this origin; a browser never does."""
    try:
        ws = await examination.http.websocket({**query, "transport": "websocket"}, headers={"Origin": origin})
    except UpgradeRefused as error:
        return fail(f"WebSockets of this Origin are refused, HTTP {error.status}", *fixes.cors(origin, False))
    except NoAnswer:
        return None  # reported by the check `websocket`
    await WebSocketWire(ws).close()
    return None
