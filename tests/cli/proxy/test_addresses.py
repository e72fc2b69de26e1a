"""Addresses in HTTP heads, as the server and as the page see them; and requests of other sites' pages."""

import pytest

from nsroom.protocol import http11
from nsroom.protocol.http11 import Head
from nsroom.proxy.addresses import Addresses, ForbiddenError, Page

LOCAL = Addresses("http://localhost:3000")
REMOTE = Addresses("https://app.example.org")
WIDE = Addresses("http://localhost:3000", "0.0.0.0", "Laptop")
PAGE = Page("localhost:3001")


def head(*headers: str, start: str = "GET / HTTP/1.1") -> Head:
    raw = "".join(f"{line}\r\n" for line in (start, *headers, "")).encode("latin-1")
    (part, *_) = http11.Reader(http11.request_framing).feed(raw)
    assert isinstance(part, Head)
    return part


def lines(raw: bytes) -> list[str]:
    return raw.decode("latin-1").split("\r\n")[1:-2]


def sent(addresses: Addresses, *headers: str) -> list[str]:
    return lines(addresses.request(head(*headers))[0])


def received(addresses: Addresses, header: str, page: Page = PAGE) -> str:
    (line,) = lines(addresses.response(head(header, start="HTTP/1.1 200 OK"), page))
    return line


@pytest.mark.parametrize(
    "host",
    [
        "localhost:3001",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1:3001",
        "127.8.9.1",
        "[::1]:3001",
        "a.localhost:1",
    ],
)
def test_names_of_this_machine(host: str) -> None:
    assert sent(LOCAL, f"Host: {host}") == ["Host: localhost:3000"]


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:3001",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "192.0.2.1:3001",
        "localhost@attacker.example",
        "localhost, attacker.example",
        "localhost\rattacker.example",
        "localhost:port",
        "[::1",
        "",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(ForbiddenError, match="open it as localhost"):
        LOCAL.request(head(f"Host: {host}"))


def test_a_request_without_host_or_with_two_is_refused() -> None:
    for headers in (
        [],
        ["Host: localhost", "Host: attacker.example"],
        ["Host: localhost", "Host: localhost"],
    ):
        with pytest.raises(ForbiddenError):
            LOCAL.request(head(*headers))


def test_the_names_of_a_proxy_that_others_can_reach() -> None:
    for host in ("192.0.2.7:3001", "laptop:3001", "[2001:db8::1]:3001", "localhost"):
        assert sent(WIDE, f"Host: {host}") == ["Host: localhost:3000"]
    assert sent(Addresses("http://a", "192.0.2.7"), "Host: 192.0.2.7:1") == ["Host: a"]
    for addresses, host in ((WIDE, "attacker.example"), (LOCAL, "laptop")):
        with pytest.raises(ForbiddenError):
            addresses.request(head(f"Host: {host}"))


def test_the_servers_own_name_leads_to_it() -> None:
    assert sent(REMOTE, "Host: app.example.org:3001") == ["Host: app.example.org"]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_proxys_own_origin_becomes_the_servers_as_the_url_spells_it(name: str) -> None:
    for page in ("http://localhost:3001", "http://127.0.0.1:3001", "http://[::1]:3001"):
        got = sent(
            Addresses(f"http://{name}:3000"),
            "Host: localhost:3001",
            f"Origin: {page}",
            f"referer: {page}/a?b",
        )
        url = f"http://{name}:3000"
        assert got == [f"Host: {name}:3000", f"Origin: {url}", f"referer: {url}/a?b"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "http://localhost:5173",
        "https://localhost:3001",
        "http://attacker.example:3001",
        "http://localhost:3001@attacker.example",
        "null",
        "http://[",
    ],
)
def test_other_origins_are_the_servers_to_judge(origin: str) -> None:
    assert sent(LOCAL, "Host: localhost:3001", f"Origin: {origin}")[1] == f"Origin: {origin}"
    assert sent(LOCAL, "Host: localhost:3001", f"Referer: {origin}/")[1] == f"Referer: {origin}/"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3001", True),
        ("http://localhost:5173", True),
        ("https://127.0.0.1", True),
        ("https://app.example.org", True),
        ("https://other.example", True),
        ("http://attacker.example", False),
        ("http://localhost.attacker.example", False),
        ("http://192.0.2.1", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_another_origin_is_for_pages_of_this_machine_only(origin: str, allowed: bool) -> None:
    addresses = Addresses("https://app.example.org", origin="https://other.example")
    if allowed:
        got = sent(addresses, "Host: localhost:3001", f"Origin: {origin}")
        assert got == ["Host: app.example.org", "Origin: https://other.example"]
    else:
        with pytest.raises(ForbiddenError, match="may not use --origin"):
            addresses.request(head("Host: localhost:3001", f"Origin: {origin}"))
    assert sent(addresses, "Host: localhost:3001") == ["Host: app.example.org"]


def test_the_schemes_own_port_is_left_out() -> None:
    for url in ("http://A.example:80", "http://a.example"):
        got = sent(Addresses(url), "Host: localhost", "Origin: http://localhost:80")
        assert got == ["Host: a.example", "Origin: http://a.example"]


def test_the_allowed_origin_is_the_pages_again() -> None:
    allowed = "Access-Control-Allow-Origin: http://localhost:3000"
    page = LOCAL.request(head("Host: 127.0.0.1:3001", "Origin: http://localhost:3001"))[1]
    assert received(LOCAL, allowed, page) == "Access-Control-Allow-Origin: http://localhost:3001"
    page = LOCAL.request(head("Host: localhost:3001", "Origin: http://localhost:3000"))[1]
    assert received(LOCAL, allowed, page) == allowed
    assert received(LOCAL, "Access-Control-Allow-Origin: *", page) == "Access-Control-Allow-Origin: *"


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("http://localhost:3000/home?a=1", "http://localhost:3001/home?a=1"),
        ("http://127.0.0.1:3000", "http://localhost:3001"),
        ("//LOCALHOST:3000/x", "//localhost:3001/x"),
        ("HTTP://localhost:3000/http://localhost:3000/", "http://localhost:3001/http://localhost:3000/"),
    ],
)
def test_redirects_to_the_server_lead_to_the_proxy(url: str, got: str) -> None:
    assert received(LOCAL, f"Location: {url}") == f"Location: {got}"
    assert received(LOCAL, f"Content-Location: {url}") == f"Content-Location: {got}"


@pytest.mark.parametrize(
    "url",
    [
        "/home",
        "home",
        "?next=http://localhost:3000/",
        "http://localhost:30000/",
        "http://localhost",
        "http://localhost:3000.example/",
        "http://localhost:3000@example.org/",
        "http://xlocalhost:3000/",
        "https://login.example/?redirect_uri=http://localhost:3000/back",
        "http://elsewhere/%2e%2e/x",
        "http://[",
    ],
)
def test_other_redirects_pass_unchanged(url: str) -> None:
    assert received(LOCAL, f"Location: {url}") == f"Location: {url}"


def test_urls_in_other_headers() -> None:
    policy = (
        "Content-Security-Policy: connect-src 'self' wss://app.example.org https://cdn.example; img-src *"
    )
    assert received(REMOTE, policy) == policy.replace("wss://app.example.org", "ws://localhost:3001")
    assert received(REMOTE, "Refresh: 0; url=https://app.example.org:443/a") == (
        "Refresh: 0; url=http://localhost:3001/a"
    )
    link = "Link: <https://app.example.org/a.js>; rel=preload"
    assert received(REMOTE, link) == "Link: <http://localhost:3001/a.js>; rel=preload"
    assert received(REMOTE, "X-Other: https://app.example.org") == "X-Other: https://app.example.org"


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("a=b; Domain=example.org; Path=/; Secure; HttpOnly", "a=b; Path=/; HttpOnly"),
        ("a=b;domain=.app.example.org;SameSite=None;Secure;Partitioned", "a=b"),
        ("a=b; SameSite=Lax; Secure", "a=b; SameSite=Lax"),
        ("a=b; Domain=cdn.example; Path=/", "a=b; Domain=cdn.example; Path=/"),
        ("__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"),
        ("a=Secure; Path=/", "a=Secure; Path=/"),
    ],
)
def test_cookies_are_stored_for_the_proxy(cookie: str, kept: str) -> None:
    assert received(REMOTE, f"Set-Cookie: {cookie}") == f"Set-Cookie: {kept}"


def test_cookies_of_a_server_on_this_machine_pass_unchanged() -> None:
    cookie = "Set-Cookie: AWSALB=sticky; Domain=localhost; Secure; SameSite=None"
    assert received(LOCAL, cookie) == cookie


def test_places_outside_of_the_proxy() -> None:
    for url in ("https://localhost:3000/", "http://localhost:3002/a", "http://127.0.0.1/"):
        assert LOCAL.is_elsewhere(url)
    for url in (
        "",
        "/home",
        "//localhost:3000/",
        "http://localhost:3000/",
        "https://login.example/",
        "http://[",
    ):
        assert not LOCAL.is_elsewhere(url)
    assert LOCAL.server_url_in('io("http://127.0.0.1:3000")') == "http://127.0.0.1:3000"
    assert LOCAL.server_url_in("a('//localhost:3000/x')") == "//localhost:3000"
    assert LOCAL.server_url_in('io(); io("http://localhost:30001"); "https://localhost:3000"') is None
