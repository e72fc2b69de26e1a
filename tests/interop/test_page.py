"""The page of the reference server in a real browser."""

import pytest

from tests.conftest import StartServer
from tests.peers.browser import Browser
from tests.peers.program import Runner, Server, Spawner

ROWS = "() => [...document.querySelectorAll('#events li')].map((row) => row.textContent)"


async def test_the_page_and_a_terminal_talk(browser: Browser, server: Server, spawn: Spawner) -> None:
    assert await browser.do(goto=f"{server.url}/") == 200
    await browser.wait("document.getElementById('state').textContent.startsWith('connected to / as ')")
    await browser.do(type=["#nick", "ann"])
    await browser.do(type=["#room", "lobby"])
    await browser.do(press="Enter")
    await browser.wait("document.querySelector('#rooms .members')?.textContent === 'ann'")
    terminal = await spawn(
        "join", "lobby", "--as", "bob", "--stdin", "-u", server.url, "--where", "event=message"
    )
    await browser.wait("document.querySelector('#rooms .members')?.textContent.includes('bob')")
    terminal.send("dinner is ready")
    await browser.wait("document.getElementById('events').textContent.includes('dinner is ready')")
    assert (await terminal.record())["args"][0]["text"] == "dinner is ready"
    await browser.do(type=["#line", "on my way <b>"])
    await browser.do(press="Enter")
    said = (await terminal.record())["args"][0]
    assert (said["nick"], said["text"]) == ("ann", "on my way <b>")
    await browser.do(type=["#line", '["who", "lobby"]'])
    await browser.do(press="Enter")
    await browser.wait("document.getElementById('events').textContent.includes('ack who')")
    assert await browser.do(complaints=True) == []


async def test_namespaces_are_apart(browser: Browser, server: Server, nsroom: Runner) -> None:
    await browser.do(goto=f"{server.url}/")
    names = "() => [...document.querySelectorAll('#namespaces label')].map((each) => each.textContent)"
    assert await browser.run(names) == ["/", "/my-namespace", "/chat", "/lab"]
    await browser.do(click="#namespaces label:nth-child(2) input")
    await browser.wait(
        "document.getElementById('state').textContent.startsWith('connected to /my-namespace')"
    )
    await browser.do(click="#clear")
    await nsroom("emit", "x", "-u", server.url)
    await nsroom("connect", "/my-namespace", "-C", "1", "-u", server.url)
    await browser.wait("document.getElementById('events').textContent.includes('everyone!')")
    assert len(await browser.run(ROWS)) == 1


async def test_other_namespaces(browser: Browser, server: Server, serve: StartServer) -> None:
    await browser.do(goto=f"{server.url}/")
    assert await browser.run("() => document.getElementById('namespace-form').hidden")
    await browser.do(goto=f"{(await serve('--any-namespace')).url}/")
    await browser.wait("document.getElementById('state').textContent.startsWith('connected to / as ')")
    await browser.do(type=["#namespace", "/game"])
    await browser.do(press="Enter")
    await browser.wait("document.getElementById('state').textContent.startsWith('connected to /game as ')")
    assert await browser.do(complaints=True) == []


async def test_a_token_is_asked_for(browser: Browser, serve: StartServer) -> None:
    server = await serve("--token", "secret")
    await browser.do(goto=f"{server.url}/")
    await browser.wait("!document.getElementById('token-form').hidden")
    await browser.do(type=["#token", "secret"])
    await browser.do(press="Enter")
    await browser.wait("document.getElementById('state').textContent.startsWith('connected')")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits(
    browser: Browser, server: Server, width: int, scheme: str, tmp_path: object
) -> None:
    await browser.do(goto=f"{server.url}/")
    await browser.do(screenshot=f"{tmp_path}/page.png", width=width, height=800, scheme=scheme)
    assert await browser.run("() => document.documentElement.scrollWidth") <= width
    colours = await browser.run(
        "() => ['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
    )
    assert contrast(*colours) >= 4.5


def contrast(first: str, second: str) -> float:
    """Give the contrast of two colours, as WCAG defines it."""
    light, dark = sorted(map(luminance, (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Give the relative luminance of `rgb(r, g, b)`."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


async def test_the_tutorials_page_works_unchanged(browser: Browser, server: Server) -> None:
    await browser.do(goto=f"{server.url}/healthz")
    await browser.run(
        """(source) => new Promise((resolve) => {
            document.open();
            document.write(source);
            document.close();
            setTimeout(resolve, 500);
        })""",
        """<body></body><script src="/socket.io/socket.io.js"></script>
        <script>
          var socket = io("/my-namespace");
          socket.on("hi", function (text) { document.body.append(text); });
        </script>""",
    )
    await browser.wait("document.body?.textContent.includes('everyone!')")
