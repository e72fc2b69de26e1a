"""Our client for pages and the real one take the same steps in a real browser, and give the same log."""

import socket

from tests.conftest import StartServer
from tests.peers.browser import Browser
from tests.peers.node import SCRIPTS
from tests.peers.program import Server

STEPS = (SCRIPTS / "steps.js").read_text("utf-8").partition("\n")[2].rstrip().removesuffix(";")
REAL = SCRIPTS / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"


async def test_the_same_steps_give_the_same_log(
    browser: Browser, server: Server, node_server: StartServer
) -> None:
    logs = {
        (name, script): await steps(browser, each, script)
        for name, each in (("reference", server), ("Node", await node_server("lab4.js")))
        for script in (f"{server.url}/socket.io/socket.io.js", None)
    }
    first = next(iter(logs.values()))
    assert len(first) > 60
    assert {key: log for key, log in logs.items() if log != first} == {}


async def steps(browser: Browser, server: Server, script: str | None) -> list[str]:
    """Take the steps in a fresh page of the server, with our client from this address or the real one."""
    await browser.do(goto=f"{server.url}/healthz")
    await browser.do(complaints=True)
    if script is None:
        await browser.do(script=REAL.read_text("utf-8"))
    else:
        await browser.run(
            """(address) => new Promise((resolve) => {
                const script = document.createElement("script");
                Object.assign(script, { src: address, onload: resolve });
                document.head.append(script);
            })""",
            script,
        )
    with socket.socket() as nothing:
        nothing.bind(("127.0.0.1", 0))
        log: list[str] = await browser.run(STEPS, f"http://127.0.0.1:{nothing.getsockname()[1]}")
    return log
