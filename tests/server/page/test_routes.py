"""The page is for browsers only, and everything has its policy."""

import aiohttp
import pytest

from nsroom_server.app import Running
from nsroom_server.page.routes import CLIENT_NAMES, MODULE_NAMES, POLICY
from tests.server.member import Serve

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def fetch(url: str, **headers: str) -> tuple[int, str, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        policy = response.headers.get("Content-Security-Policy", "")
        return response.status, response.content_type, policy, await response.text()


async def test_a_browser_gets_the_page(server: Running) -> None:
    status, kind, policy, text = await fetch(server.url, **BROWSER)
    assert (status, kind, policy) == (200, "text/html", POLICY)
    assert 'data-namespaces="[&quot;/&quot;, &quot;/my-namespace&quot;' in text
    assert "http:" not in text
    assert "https:" not in text


async def test_others_get_what_they_got(server: Running) -> None:
    assert (await fetch(server.url, Accept="*/*"))[0] == 404


async def test_no_page(serve: Serve) -> None:
    server = await serve(page=False)
    assert (await fetch(server.url, **BROWSER))[0] == 404
    assert (await fetch(f"{server.url}/socket.io/socket.io.js"))[0] == 200


@pytest.mark.parametrize("name", ["page.css", "page.js", "favicon.ico"])
async def test_its_parts(server: Running, name: str) -> None:
    status, _, policy, text = await fetch(f"{server.url}/{name}")
    assert (status, policy) == (200, POLICY)
    assert "{endpoint}" not in text


async def test_the_client_is_below_the_path(serve: Serve) -> None:
    server = await serve(path="/ws")
    for name in CLIENT_NAMES:
        status, kind, _, text = await fetch(f"{server.url}/ws/{name}")
        assert (status, kind) == (200, "text/javascript")
        assert "globalThis.io = io" in text
        assert "\nexport" not in text
    for name in MODULE_NAMES:
        assert "\nexport {" in (await fetch(f"{server.url}/ws/{name}"))[3]
    assert "/ws/socket.io.esm.js" in (await fetch(f"{server.url}/page.js"))[3]


async def test_a_foreign_host_gets_no_page(server: Running) -> None:
    assert (await fetch(server.url, Host="attacker.example", **BROWSER))[0] == 403
