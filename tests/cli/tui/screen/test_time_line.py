import pytest

from nsroom.output.terminal import cells
from nsroom.output.times import Times
from nsroom.tui.screen.state import Mode, View
from nsroom.tui.screen.time_line import time_line
from tests.cli.tui.drawing import draw, is_drawn, sizes
from tests.cli.tui.records import NOON, event, plain, view


def session() -> View:
    """Return a view of ten minutes with a burst in the middle, the burst selected."""
    calm = [event("tick", at, time=NOON + at * 1_000_000) for at in range(600)]
    burst = [event("price", at, time=NOON + 300_000_000 + at * 10_000) for at in range(2000)]
    viewed = view(*sorted([*calm, *burst], key=lambda each: each.time))
    viewed.times, viewed.time_line = Times.UTC, True
    viewed.model.select(1000)
    viewed.tick(NOON / 1e6 + 600)
    return viewed


@sizes
async def test_the_rate_above_the_stream(cols: int, rows: int) -> None:
    await is_drawn(session(), "time-line", cols, rows)


async def test_it_is_above_the_groups_too_but_not_above_the_chat() -> None:
    viewed = session()
    viewed.mode = Mode.GROUPS
    assert "highest" in await draw(viewed, 80, 24)
    viewed.mode = Mode.CHAT
    assert "highest" not in await draw(viewed, 80, 24)


@pytest.mark.parametrize("width", [1, 2, 10, 80, 300])
def test_it_has_the_width(width: int) -> None:
    for viewed in (session(), view()):
        for line in time_line(viewed, width):
            assert cells("".join(text for _, text in line)) == width


def test_the_selected_row_is_marked() -> None:
    (bars, _) = time_line(session(), 62)
    (marked,) = [at for at, (style, _) in enumerate(bars) if style == "class:badge"]
    assert marked in (31, 32)
    assert "highest" in plain(time_line(session(), 62)[1])
