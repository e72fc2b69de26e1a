"""A page in a real Chromium, which `tests/interop/node/browser.js` runs."""

from dataclasses import dataclass
from typing import Any

from tests.peers.program import Program


@dataclass(frozen=True, slots=True)
class Browser:
    """One page: `await browser.do(goto=url)`, `await browser.run("() => document.title")`."""

    program: Program

    async def do(self, **command: Any) -> Any:
        """Run one command and give its result; an error of the page fails the test."""
        self.program.send(command)
        answer = await self.program.record(timeout=60)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    async def run(self, function: str, *args: Any) -> Any:
        """Call a JavaScript function in the page."""
        return await self.do(run=function, args=list(args))

    async def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        await self.do(wait=expression)
