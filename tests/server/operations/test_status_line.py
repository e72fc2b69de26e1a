"""The status line above the log, on a real pseudo-terminal."""

import asyncio
import re
import signal

import pyte

from tests.peers.program import Program, Runner, Spawner


class Screen:
    """The screen of a terminal."""

    def __init__(self, proc: Program, rows: int, cols: int) -> None:
        self.proc = proc
        self._screen = pyte.Screen(cols, rows)
        self._stream = pyte.Stream(self._screen)
        self._read = 0

    @property
    def lines(self) -> list[str]:
        text = self.proc.stdout.text
        self._stream.feed(text[self._read :])
        self._read = len(text)
        return [line.rstrip() for line in self._screen.display]

    def resize(self, rows: int, cols: int) -> None:
        self._screen.resize(rows, cols)
        self.proc.resize(rows, cols)

    async def shows(self, pattern: str, line: int | None = None) -> str:
        """Wait until a line (the one with this number, if given) matches, and return it."""
        async with asyncio.timeout(10):
            while True:
                lines = self.lines if line is None else self.lines[line : line + 1]
                for each in lines:
                    if re.search(pattern, each):
                        return each
                await asyncio.sleep(0.05)


async def started(spawn: Spawner, rows: int = 12, cols: int = 80, **env: str) -> tuple[Screen, str]:
    proc = await spawn(
        "serve",
        "--port",
        "0",
        "--history",
        "none",
        tty=True,
        rows=rows,
        cols=cols,
        env={"TERM": "xterm", **env},
    )
    screen = Screen(proc, rows, cols)
    shown = await screen.shows(r"^nsroom: listening on http")
    return screen, shown.split()[-1]


async def test_the_line_stays_above_the_log(spawn: Spawner, nsroom: Runner) -> None:
    screen, url = await started(spawn)
    assert await screen.shows("0 clients", line=0) == f"{url}   0 clients   0 rooms   0 events/s"
    member = await spawn("join", "lobby", "-u", url, "--json")
    await screen.shows("1 client   1 room", line=0)
    for _ in range(8):
        await nsroom("emit", "-u", url, "hello")
    await screen.shows("1 client   1 room   0 events/s", line=0)
    assert all(re.match(r"nsroom: [\d:.]{12} ", line) for line in screen.lines[1:9])
    member.signal(signal.SIGINT)
    await screen.shows("0 clients", line=0)
    screen.proc.signal(signal.SIGTERM)
    assert await screen.proc.end() == 0
    assert screen.proc.stdout.text.rstrip().endswith("press Ctrl-C again to stop now")
    assert "\x1b[r" in screen.proc.stdout.text


async def test_the_line_follows_the_size_of_the_terminal(spawn: Spawner) -> None:
    screen, _ = await started(spawn)
    await screen.shows("0 clients", line=0)
    screen.resize(20, 30)
    await screen.shows(r"^http\S+   0 c?", line=0)
    assert all(len(line) <= 30 for line in screen.lines)
    screen.resize(20, 100)
    await screen.shows("0 events/s", line=0)


async def test_without_colours(spawn: Spawner) -> None:
    screen, _ = await started(spawn, NO_COLOR="1")
    await screen.shows("0 clients", line=0)
    assert not re.search(r"\x1b\[[\d;]*m", screen.proc.stdout.text)


async def test_a_dumb_terminal_shows_only_the_log(spawn: Spawner) -> None:
    screen, _ = await started(spawn, TERM="dumb")
    assert "\x1b" not in screen.proc.stdout.text
