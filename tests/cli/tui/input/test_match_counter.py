import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from nsroom.tui.input.match_counter import MatchCounter, typed_filter
from nsroom.tui.screen.state import FILTER, Focus, Question, View
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import event, observed, shop, view


async def typed(viewed: View, *texts: str) -> str:
    """Type one text after another; return what is shown when all counting has ended."""
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.get_running_loop().create_task(work))

    counter = MatchCounter(viewed, spawn)
    for text in texts:
        counter.update(text)
    await asyncio.gather(*tasks)
    return viewed.matching


RECORDS = [event("price", {"bid": n}) for n in range(3000)] + [event("hi")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("event=price", "3,000 of 3,001 records match"),
        ("arg.bid=7", "1 of 3,001 records match"),
        ("hi", "1 of 3,001 records match"),
        ("event=", 'column 7: expected a value after "="'),
        ("ns=x", 'column 4: a namespace must start with "/"'),
        (" ", ""),
        ("", ""),
    ],
)
async def test_the_number_of_matches(text: str, shown: str) -> None:
    assert await typed(view(*RECORDS), text) == shown


async def test_only_the_last_filter_is_counted() -> None:
    assert await typed(view(*RECORDS), "event=price", "event=hi") == "1 of 3,001 records match"
    assert await typed(view(*RECORDS), "event=price", "") == ""


def test_which_text_is_a_filter() -> None:
    own, others = view(), observed()
    assert typed_filter(own, "", "hello") == ""
    assert typed_filter(own, "", "/where event=x") == "event=x"
    assert typed_filter(others, "", "event=x") == "event=x"
    assert typed_filter(others, "", "/save x") == ""
    own.question = Question(FILTER, print, Focus.STREAM)
    assert typed_filter(own, "kind=ack", "/where x") == "kind=ack"
    own.question = Question("search", print, Focus.STREAM)
    assert typed_filter(own, "kind=ack", "/where x") == ""


@sizes
async def test_a_filter_while_it_is_typed(cols: int, rows: int) -> None:
    await is_drawn(shop(), "filter-typed", cols, rows, filter="event=price & arg.bid>14")


@sizes
async def test_a_filter_that_is_not_complete(cols: int, rows: int) -> None:
    await is_drawn(shop(), "filter-incomplete", cols, rows, filter="event=price & arg.bid>")
