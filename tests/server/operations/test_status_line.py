"""The status line below the log, on a real pseudo-terminal."""

import asyncio
import re
import signal

import pyte

from tests.peers.program import Program, Runner, Spawner


class Screen:
    """The screen of a terminal."""

    def __init__(self, proc: Program, rows: int, cols: int) -> None:
        self.proc = proc
        self._screen = pyte.HistoryScreen(cols, rows, history=1000, ratio=1)
        self._stream = pyte.Stream(self._screen)
        self._read = 0

    @property
    def lines(self) -> list[str]:
        text = self.proc.stdout.text
        self._stream.feed(text[self._read :])
        self._read = len(text)
        return [line.rstrip() for line in self._screen.display]

    @property
    def scrolled(self) -> list[str]:
        """The lines that have left the screen, and those on it."""
        lines = self.lines
        above = (
            "".join(row[at].data for at in range(self._screen.columns)) for row in self._screen.history.top
        )
        return [*(line.rstrip() for line in above), *lines]

    @property
    def last(self) -> str:
        """The last line that is not empty."""
        return [line for line in self.lines if line][-1]

    def resize(self, rows: int, cols: int) -> None:
        self._screen.resize(rows, cols)
        self.proc.resize(rows, cols)

    async def shows(self, pattern: str) -> str:
        """Wait until a line matches, and return it."""
        async with asyncio.timeout(20):
            while True:
                for each in self.lines:
                    if re.search(pattern, each):
                        return each
                await asyncio.sleep(0.05)

    async def ends(self, pattern: str) -> None:
        """Wait until the last line matches."""
        async with asyncio.timeout(20):
            while not re.search(pattern, self.last):  # noqa: ASYNC110 - no event announces it
                await asyncio.sleep(0.05)


async def started(
    spawn: Spawner, *args: str, rows: int = 12, cols: int = 80, **env: str
) -> tuple[Screen, str]:
    command = ("serve", "--port", "0", "--history", "none", *args)
    proc = await spawn(*command, tty=True, rows=rows, cols=cols, env={"TERM": "xterm", **env})
    screen = Screen(proc, rows, cols)
    shown = await screen.shows(r"^nsroom: listening on http")
    return screen, shown.split()[-1]


async def test_the_line_stays_below_the_log(spawn: Spawner, nsroom: Runner) -> None:
    screen, url = await started(spawn, "--admin", "ann")
    await screen.ends(f"^{url}   0 clients   0 rooms   0 events/s$")
    member = await spawn("join", "lobby", "-u", url, "--json")
    await screen.ends("1 client   1 room")
    for _ in range(8):
        await nsroom("emit", "-u", url, "hello")
    await screen.ends("1 client   1 room   0 events/s")
    member.signal(signal.SIGINT)
    await screen.ends("0 clients")
    screen.proc.signal(signal.SIGTERM)
    assert await screen.proc.end() == 0
    lines = [line for line in screen.scrolled if line]
    assert all(line.startswith("nsroom: ") or len(line) < 80 for line in lines)
    assert "the password of ann" in lines[0]
    assert sum("someone connected" in line for line in lines) == 9
    assert not any("events/s" in line for line in lines)
    assert lines[-1].endswith("press Ctrl-C again to stop now")


async def test_the_line_follows_the_size_of_the_terminal(spawn: Spawner) -> None:
    screen, _ = await started(spawn)
    await screen.ends("0 clients")
    screen.resize(20, 30)
    await screen.ends(r"^http\S+   0 c?l?i?$")
    screen.resize(20, 100)
    await screen.ends("0 events/s")


async def test_without_colours(spawn: Spawner) -> None:
    screen, _ = await started(spawn, NO_COLOR="1")
    await screen.ends("0 clients")
    assert not re.search(r"\x1b\[[\d;]*m", screen.proc.stdout.text)


async def test_a_dumb_terminal_shows_only_the_log(spawn: Spawner) -> None:
    screen, _ = await started(spawn, TERM="dumb")
    assert "\x1b" not in screen.proc.stdout.text
