"""Whether a browser lets a page of another origin talk to the server (CORS)."""

from collections.abc import Mapping, Sequence

from yarl import URL

from nsroom.doctor.checks.transports import offered
from nsroom.doctor.checks.versions import generation
from nsroom.doctor.examination import Examination
from nsroom.doctor.finding import Finding, fail, ok, skip
from nsroom.doctor.fixes import transport as fixes
from nsroom.doctor.probes.http import Answer, NotSwitched, Unanswered
from nsroom.doctor.probes.wires import WebSocketWire, refusal

_ALLOW = "Access-Control-Allow-Origin"
_SIMPLE = frozenset(["accept", "accept-language", "content-language"])
"""Headers of requests that a browser sends without asking first."""


async def check_cors(examination: Examination) -> Finding:
    """Shake hands as a browser does for a page of --origin; ask first where it would."""
    origin = examination.wishes.origin
    if origin is None:
        return skip("give the page's --origin, as https://app.example.org")
    if same_origin(origin, examination.target.url):
        return ok("the page is of the server's own origin: a browser does not ask")
    query = {"EIO": str(await generation(examination) or 4), "transport": "polling"}
    polling, websocket = await offered(examination)
    if polling and examination.polls:
        answer = await examination.exchange.request("GET", query, headers={"Origin": origin})
        # Who sends cookies has to be allowed to.
        finding = judge(answer, origin, bool(examination.target.cookies)) or await _preflight(
            examination, query
        )
        if finding:
            return finding
    if websocket and examination.uses_websocket and (finding := await _websocket(examination, query)):
        return finding
    return ok(f"a page of {origin} is let in")


def same_origin(origin: str, url: str) -> bool:
    """Say whether a page's origin is that of the server."""
    try:
        return URL(origin).origin() == URL(url).origin()
    except ValueError:
        return False


def judge(answer: Answer, origin: str, credentials: bool) -> Finding | None:
    """Find what keeps a browser from reading an answer."""
    named = answer.headers.get(_ALLOW)
    remedy = fixes.cors(origin, credentials)
    if answer.status != 200:
        return fail(f"with this Origin HTTP {answer.status}: {refusal(answer.text)[1] or 'refused'}", *remedy)
    if answer.repeated.get(_ALLOW.lower(), 0) > 1 or (named and "," in named):
        return fail(f"{_ALLOW} comes twice, which no browser takes", *fixes.cors_twice())
    if named is None:
        return fail(f"no {_ALLOW}: the browser keeps the answer from the page", *remedy)
    if named == "*" and not credentials:
        return None
    if named != origin:
        return fail(f"{_ALLOW} is {named[:100]}, not {origin}", *remedy)
    if credentials and answer.headers.get("Access-Control-Allow-Credentials") != "true":
        return fail("cookies are sent, but Access-Control-Allow-Credentials is not true", *remedy)
    return None


def unusual(headers: Mapping[str, str]) -> list[str]:
    """Name the headers for which a browser asks first."""
    return [name for name in headers if name.lower() not in _SIMPLE]


async def _preflight(examination: Examination, query: Mapping[str, str]) -> Finding | None:
    """Ask as a browser does before it sends headers of its own."""
    names = unusual(examination.target.headers)
    origin = examination.wishes.origin or ""
    if not names:
        return None
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": ", ".join(name.lower() for name in sorted(names)),
    }
    answer = await examination.exchange.request("OPTIONS", query, headers=headers)
    return judge_preflight(answer, origin, names)


def judge_preflight(answer: Answer, origin: str, names: Sequence[str]) -> Finding | None:
    """Find what keeps a browser from sending the request that it asked about."""
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


async def _websocket(examination: Examination, query: Mapping[str, str]) -> Finding | None:
    """See whether the server refuses WebSockets of this origin, which no browser would."""
    origin = examination.wishes.origin or ""
    try:
        ws = await examination.exchange.websocket(
            {**query, "transport": "websocket"}, headers={"Origin": origin}
        )
    except NotSwitched as error:
        return fail(f"WebSockets of this Origin are refused, HTTP {error.status}", *fixes.cors(origin, False))
    except Unanswered:
        return None  # the check of WebSockets says so
    await WebSocketWire(ws).close()
    return None
