"""The commands for packets in the proxy, as they are offered. What they do: test_intercept_actions."""

import pytest

from nsroom.errors import UsageError
from nsroom.tui.input import intercept_commands
from nsroom.tui.input.slash_commands import offered
from nsroom.tui.screen.state import View
from tests.cli.intercepted import Running
from tests.cli.tui.records import observed


class Context:
    """A context without an application."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.host = self

    def read(self) -> None:
        """Move no focus."""


async def test_a_proxy_that_only_observes_offers_and_does_none_of_them() -> None:
    viewed = observed()
    assert not {"edit", "emit", "call", "reply"} & {command.name for command in offered(viewed)}
    for command in (intercept_commands.edit, intercept_commands.emit, intercept_commands.reply):
        with pytest.raises(UsageError, match="start it with --intercept"):
            await command(Context(viewed), "1 []")


async def test_an_intercepting_proxy_offers_them() -> None:
    viewed = observed()
    viewed.interceptor = Running().interceptor
    lines = [command.line for command in offered(viewed)]
    assert "/edit ID JSON" in lines
    assert "/emit [--as-server] EVENT [ARG…]" in lines
    assert sum(line.startswith("/reply") for line in lines) == 1
