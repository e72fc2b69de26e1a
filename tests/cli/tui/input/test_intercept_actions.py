"""Packets that wait in the proxy, decided by keys and typed commands; no network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input

from nsroom.tui.config import Settings
from nsroom.tui.live import feed
from nsroom.tui.model.model import Model
from nsroom.tui.mouse import DragOutput
from nsroom.tui.proxy_view import ProxyApp, ProxyNotice
from nsroom.tui.screen.state import Focus, View
from tests.cli.intercepted import IN, OUT, Running
from tests.cli.tui.user import COLS, ROWS, ScreenOutput, User


class Proxied(User):
    """A user of a proxy's view, with one client."""

    proxy: Running


@pytest.fixture
async def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxied]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    proxy = Running()
    with ExitStack() as stack:
        keys, screen = stack.enter_context(create_pipe_input()), ScreenOutput()
        output = DragOutput(screen, lambda: Size(ROWS, COLS), term="xterm-256color")  # type: ignore[arg-type]
        notice = ProxyNotice()
        view = View(
            Model(relayed=True),
            "127.0.0.1:3001",
            proxied_server="localhost:3000",
            interceptor=proxy.interceptor,
            notice=notice,
        )
        app = ProxyApp(view, Settings(), input=keys, output=output)

        async def records() -> AsyncIterator[object]:
            async for batch in proxy.channel:
                yield batch

        app.spawn(feed(app, records(), None, None))  # type: ignore[arg-type]
        made = Proxied(app, keys, screen, asyncio.create_task(app.run()))
        made.proxy = proxy
        await made.sees("waiting for a client")
        try:
            yield made
        finally:
            app.leave()
            await made.running


async def test_forward_and_drop_select_the_next_packet(user: Proxied) -> None:
    proxy = user.proxy
    proxy.arrive(OUT, '42["wait",1]', '42["wait",2]', '42["wait",3]', '42["behind"]')
    await user.sees("3 wait ")
    assert "W next that waits" in user.text
    assert "‖ behind" in user.text
    await user.press("W")
    await user.sees("⏎ edit  f forward  d drop")
    await user.press("f", "d")
    await user.sees("1 wait ")
    await user.sees("✗ dropped")
    assert proxy.to[OUT].sent == ['42["wait",1]']
    await user.press("F")
    await user.sees("2 packets forwarded")
    assert proxy.to[OUT].sent == ['42["wait",1]', '42["wait",3]', '42["behind"]']
    await user.sees(lambda text: "‖" not in text)
    assert len(user.view.model.rows) == 4
    await user.press("W")
    await user.sees("no packet waits")


async def test_a_packet_that_is_forwarded_early_waits_for_those_before_it(user: Proxied) -> None:
    user.proxy.arrive(IN, '42["wait",1]', '42["wait",2]')
    await user.sees("2 wait ")
    await user.press("Up", "f")
    await user.sees("it goes on after the packets that wait before it")
    assert user.proxy.to[IN].sent[-1].startswith("40")  # type: ignore[arg-type]


async def test_other_rows_keep_their_keys(user: Proxied) -> None:
    user.proxy.arrive(IN, '42["other",1]')
    await user.sees("other")
    await user.press("Up", "f")
    await user.sees("filter ›")
    assert user.view.focus is Focus.ASK


async def test_an_edit_that_is_not_json_stays_until_it_is(user: Proxied) -> None:
    user.proxy.arrive(OUT, '427["wait",{"a":1}]')
    await user.sees("1 wait ")
    await user.press("W", "Enter")
    await user.sees('/edit 1 ["wait", {"a": 1}]')
    await user.press("\x7f", "}", "]", "Enter")
    await user.sees("not edited: not JSON")
    assert '/edit 1 ["wait", {"a": 1}}]' in user.text
    await user.press("\x7f", "\x7f", "\x7f", "\x7f", "2}]", "Enter")
    await user.sees("edited")
    assert user.proxy.to[OUT].sent == ['427["wait",{"a":2}]']
    assert user.view.focus is Focus.STREAM


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("/edit 1 {}", "not edited: not a list"),
        ("/edit 1 []", "not edited: the event's name is missing"),
        ("/edit 1 [true]", "not edited: event must be a string"),
        ("/edit 1", "usage: /edit ID"),
        ("/edit 9 []", "packet 9 does not wait"),
        ("/emit", "usage: /emit [--as-server]"),
        ("/emit -n /x y", "not connected to '/x'"),
        ("/reply", "select an event that wants a reply"),
    ],
)
async def test_commands_that_cannot_be_done(typed: str, reason: str, user: Proxied) -> None:
    user.proxy.arrive(OUT, '42["wait"]')
    await user.press("i", typed, " ", "Enter")
    await user.sees(reason)


async def test_events_of_the_users_own_reach_both_sides(user: Proxied) -> None:
    proxy = user.proxy
    await user.press("i", '/emit mine {"a": 1}', "Enter")
    await user.sees("yours")
    await user.press("/emit --as-server news hello", "Enter")
    await user.sees("news")
    await user.press("/call asked", "Enter")
    await user.sees("asked")
    assert proxy.to[OUT].sent == ['42["mine",{"a":1}]', '421000000000["asked"]']
    assert proxy.to[IN].sent[-1] == '42["news","hello"]'
    proxy.arrive(IN, '431000000000["ok"]')
    await user.sees("✓")
    assert proxy.to[IN].sent[-1] == '42["news","hello"]'


async def test_a_reply_is_for_the_side_that_sent_the_event(user: Proxied) -> None:
    proxy = user.proxy
    proxy.arrive(IN, '425["question"]')
    await user.sees("question")
    await user.press("Up", "i", "/reply --as-server no", "Enter")
    await user.sees("leave --as-server out")
    await user.press("\x15", "/reply yes", "Enter")
    await user.sees("✓")
    assert proxy.to[OUT].sent == ['435["yes"]']
    proxy.arrive(OUT, '428["order"]')
    await user.sees("order")
    await user.press("End", "Up", "i", "/reply no", "Enter")
    await user.sees("use /reply --as-server")
    await user.press("\x15", "/reply --as-server no", "Enter")
    await user.sees(lambda text: text.count("✓") == 2)
    assert proxy.to[IN].sent[-1] == '438["no"]'


async def test_what_waits_at_the_end_is_forwarded_and_saved(user: Proxied, tmp_path: Path) -> None:
    user.proxy.arrive(OUT, '42["wait",1]')
    await user.sees("1 wait ")
    await user.press("i", f"/save {tmp_path}/f.ndjson", "Enter")
    await user.sees("⏺")
    assert (tmp_path / "f.ndjson").read_text() == ""
    await user.press("\x11")
    await user.left()
    assert user.proxy.to[OUT].sent == ['42["wait",1]']
    (line,) = (tmp_path / "f.ndjson").read_text().splitlines()
    assert '"state":"forwarded"' in line
    assert user.proxy.said == ["the proxy ends: 1 packet that waited was forwarded"]
