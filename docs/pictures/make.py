"""Make the pictures of the README out of a real run: `python -m docs.pictures.make`.

It starts the reference server and the live view on a pseudo-terminal, lets some members talk, presses keys,
and draws what the screen shows.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from docs.pictures.svg import DARK, LIGHT, draw
from nsroom.client.client import Client
from nsroom.client.events import Emit, relay
from nsroom.client.joins import convention, join
from nsroom.client.target import Target
from nsroom_server.app import serving
from nsroom_server.settings.config import Administrator, Config
from tests.cli.tui.screens import Terminal
from tests.peers.program import clean_environment, start_on_terminal

FOLDER = Path(__file__).parent
ROWS, COLS = 27, 108
NSROOM = (sys.executable, "-m", "nsroom")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000010000000100806000000"
    "1ff3ff610000001149444154789c63f8cfc0f01f8441180003fd02fe"
) + bytes(range(200))
LINES = (
    ("ann", "did the deploy go out?"),
    ("bob", "it is through, all green"),
    ("me", "thanks! watching the prices now"),
    ("cat", "hello everyone, I am new here. Where do the deploys get announced, in this room or in ops?"),
    ("ann", "in ops; ask bob to let you in"),
)
LATER = (("bob", "cat: /join ops, the door is open"), ("cat", "found it, thanks"))


async def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(port=0, admin=Administrator(user="admin", password="s3cret"))
        async with serving(config) as server, _members(server.url) as members:
            url = server.url.replace("127.0.0.1", "localhost")
            async with _view(Path(folder), url, "dark") as terminal:
                await _pictures(terminal, members)
            async with _view(Path(folder), url, "light") as terminal:
                await _light_pictures(terminal, members)
            async with _top(Path(folder), url) as terminal:
                await _busy_rooms(terminal, members)


@asynccontextmanager
async def _view(home: Path, url: str, theme: str) -> AsyncIterator[Terminal]:
    namespaces = [part for name in ("/chat", "/my-namespace", "/secret") for part in ("-n", name)]
    async with _shown(
        home, ROWS, "join", "lobby", "--as", "me", "--theme", theme, *namespaces, "-u", url
    ) as terminal:
        await terminal.until("joined lobby")
        yield terminal


@asynccontextmanager
async def _top(home: Path, url: str) -> AsyncIterator[Terminal]:
    async with _shown(home, 14, "top", "-u", url) as terminal:
        await terminal.until("/chat")
        yield terminal


@asynccontextmanager
async def _shown(home: Path, rows: int, *args: str) -> AsyncIterator[Terminal]:
    environment = clean_environment(home) | {"NSROOM_ADMIN": "admin:s3cret"}
    program = await start_on_terminal((*NSROOM, *args), environment, home, rows, COLS)
    try:
        yield Terminal(program, rows, COLS)
    finally:
        await program.kill()


async def _busy_rooms(terminal: Terminal, members: dict[str, Client]) -> None:
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until("all sockets")
    rooms = {"lobby": "ann", "ops": "bob"}
    for tick in range(90):
        room = "ops" if tick % 5 == 2 else "lobby"
        price = relay(Emit("/chat", "price", [{"symbol": "ACME", "bid": 12.5}]), [room], ())
        for _ in range(1 + tick * 7 % 5):
            await _sent(members[rooms[room]], price)
        await asyncio.sleep(0.1)
    _save(terminal, "top", "The rooms of a namespace with their events a second, the busiest first")


async def _pictures(terminal: Terminal, members: dict[str, Client]) -> None:
    await _talk(terminal, members)
    await _trade(members)
    terminal.press("Escape")
    await asyncio.sleep(0.5)
    terminal.press("/", "chart", "Enter")
    await terminal.until("▌")
    terminal.press("Down", "Down", "Up")
    _save(
        terminal,
        "events",
        "The live view of a namespace: namespaces and rooms, events, their acknowledgements",
    )
    terminal.press("Up", "Enter")
    await terminal.until("chart  #")
    terminal.press("Tab", "Down", "Enter")
    await terminal.until("00000010")
    _save(terminal, "detail", "The detail of an event: its arguments as a tree, binary as hex")
    terminal.press("Escape")
    await asyncio.sleep(0.5)
    terminal.press("End", "F3", "event=price & arg.0.bid>12.6", "Enter")
    await terminal.until("event=price")
    await terminal.gone("filter ›")
    _save(terminal, "filter", "Only the events that an expression matches")
    terminal.press("x", "F2")
    await terminal.until("4 members")
    terminal.press("F2")
    for nick, text in LATER:
        await _sent(members[nick], Emit("/chat", "message", [{"room": "lobby", "text": text}]))
    terminal.press("F2", "i", "welcome!")
    await terminal.until("found it")
    await terminal.until("› welcome!")
    _save(terminal, "chat", "The same connection as a chat", cursor=True)
    terminal.press("F2", "Escape")
    await asyncio.sleep(0.5)
    terminal.press("g")
    await terminal.until("ACK p50")
    _save(
        terminal, "groups", "The events by name: how many, how often, the last one, sizes, acknowledgements"
    )


async def _light_pictures(terminal: Terminal, members: dict[str, Client]) -> None:
    await _trade(members)
    terminal.press("Escape")
    await asyncio.sleep(0.5)
    terminal.press("/", "chart", "Enter")
    await terminal.until("▌")
    terminal.press("Enter")
    await terminal.until("chart  #")
    _save(terminal, "light", "The live view on a light background", light=True)


async def _talk(terminal: Terminal, members: dict[str, Client]) -> None:
    for nick, text in LINES:
        if nick == "cat":
            members["cat"] = await _member(members["ann"].target.url, "cat", ["lobby"])
        if nick == "me":
            terminal.press(text, "Enter")
            await terminal.until(lambda shown: "message" in shown and "✓" in shown)
        else:
            await _sent(members[nick], Emit("/chat", "message", [{"room": "lobby", "text": text}]))
        await asyncio.sleep(0.7)


async def _trade(members: dict[str, Client]) -> None:
    for tick in range(9):
        cents = 1250 + tick * 37 % 40
        price = {"symbol": "ACME", "bid": cents / 100, "ask": (cents + 2) / 100, "at": 1732363202 + tick}
        await _sent(members["bob"], relay(Emit("/chat", "price", [price]), ["lobby"], ()))
        if tick == 4:
            chart = {"symbol": "ACME", "png": PNG, "at": 1732363202}
            await _sent(members["bob"], relay(Emit("/chat", "chart", [chart]), ["lobby"], ()))
        await asyncio.sleep(0.15)


async def _sent(client: Client, emit: Emit) -> None:
    await asyncio.gather(*await client.ask(emit))


@asynccontextmanager
async def _members(url: str) -> AsyncIterator[dict[str, Client]]:
    members = {
        "ann": await _member(url, "ann", ["lobby"]),
        "bob": await _member(url, "bob", ["lobby", "ops"]),
    }
    try:
        yield members
    finally:
        await asyncio.gather(*(client.close() for client in members.values()))


async def _member(url: str, nick: str, rooms: Sequence[str]) -> Client:
    client = Client(Target(url, ("/chat",)))
    await client.connect()
    await join(client, rooms, convention(None, None, None, nick), lambda _: None)
    return client


def _save(terminal: Terminal, name: str, title: str, cursor: bool = False, light: bool = False) -> None:
    _ = terminal.lines
    drawn = draw(terminal.screen, title, cursor, LIGHT if light else DARK)
    picture = re.sub(r"localhost:\d+", "localhost:3000", drawn)
    (FOLDER / f"{name}.svg").write_text(picture, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
