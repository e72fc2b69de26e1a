import pytest

from nsroom.output.terminal import cells
from nsroom.tui.model.groups import GroupKey
from nsroom.tui.screen.group_list import group_lines, move
from nsroom.tui.screen.state import Mode, View
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import EVIL, NOON, ORDER, ack, emit, event, message, model, plain, view


def market() -> View:
    """Return a view of busy events in two namespaces, grouped."""
    prices = [
        event(
            "price", {"symbol": "ACME", "bid": 12.5 + at / 100, "ask": 13}, time=NOON + at * 9_000, bytes=94
        )
        for at in range(1240)
    ]
    others = [
        message("lobby", "bob", "the deploy is through", namespace="/")._replace(bytes=61),
        message("lobby", "ann", "the deploy is through, see the board")._replace(bytes=480),
        emit("join", "lobby", id=1, bytes=12),
        ack("join", {"ok": True}, id=1),
        event("order", ORDER, bytes=1200),
        event("chart", {"png": bytes(14_192)}, bytes=14_400),
        event("chart", {"png": bytes(20)}, bytes=120),
    ]
    records = sorted(
        [*prices, *(each._replace(time=NOON + 8_000_000) for each in others)], key=lambda each: each.time
    )
    viewed = view(*records)
    viewed.mode = Mode.GROUPS
    viewed.tick(NOON / 1e6 + 11)
    return viewed


@sizes
async def test_grouped_by_event(cols: int, rows: int) -> None:
    await is_drawn(market(), "groups", cols, rows)


@sizes
async def test_many_groups_scroll(cols: int, rows: int) -> None:
    viewed = view(*(event(f"event-{number}", number, time=NOON) for number in range(100)))
    viewed.mode, viewed.group = Mode.GROUPS, GroupKey("/chat", "event-60", False)
    await is_drawn(viewed, "groups-many", cols, rows)


def test_moving_selects_every_group() -> None:
    viewed = market()
    move(viewed, -1)
    seen = []
    for _ in range(10):
        (marked,) = [
            line for line in group_lines(viewed, 100, 8)[0] if any("class:row" in style for style, _ in line)
        ]
        seen.append(plain(marked).split()[0].strip("▌"))
        move(viewed, 1)
    assert list(dict.fromkeys(seen)) == ["price", "message", "join", "order", "chart"]


def test_without_events() -> None:
    viewed = view()
    assert plain(group_lines(viewed, 80, 10)[0][1]) == "  no events yet"
    viewed.model.filter("event=x")
    assert "x shows everything" in plain(group_lines(viewed, 80, 10)[0][1])


def test_a_last_event_that_was_dropped() -> None:
    viewed = View(model(capacity=10), "localhost")
    for number in range(30):
        viewed.model.add(event("first" if number < 2 else "later"))
        viewed.model.trim()
    assert "no longer kept" in plain(group_lines(viewed, 100, 10)[0][1])


@pytest.mark.parametrize("width", [12, 20, 40, 60, 80, 100, 300])
@pytest.mark.parametrize("height", [1, 3, 8, 30])
def test_lines_have_exactly_the_width_and_safe_text(width: int, height: int) -> None:
    records = [
        event(EVIL * (number % 3) + "漢" * number, EVIL, namespace=f"/{EVIL}{number}") for number in range(60)
    ]
    viewed = view(*records)
    viewed.model.groups.ungrouped = 5
    lines, keys = group_lines(viewed, width, height)
    assert len(keys) <= len(lines) <= max(height, 3)
    for line in lines:
        text = "".join(part for _, part in line)
        assert text == "" or cells(text) == width
        assert text.isprintable()
