from itertools import islice

import pytest

from nsroom.filters import parse
from nsroom.tui.input.filter_completer import complete_filter
from tests.cli.tui.records import EVIL, ack, event, message, observed, opened, view

SEEN = (
    event("order", {"id": 7, "customer": {"name": "Ann Smith", "zip code": 8000}, "items": [{"sku": "A-1"}]}),
    event("order", {"id": 8, "customer": {"name": "Bob"}, "paid": True}),
    event("my event", 1, {"room": "lobby"}),
    event(EVIL, {EVIL: EVIL, "x": EVIL}),
    event("and"),
    event("tick", namespace="/news"),
    ack("join", {"ok": True}, id=4),
)


def completions(text: str) -> list[str]:
    """Return the expression after each completion."""
    found = complete_filter(view(*SEEN), text)
    return [text[: len(text) + each.start_position] + each.text for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ev", ["event=", "event~"]),
        ("ord", ["order"]),
        ("m", ["message~", '"my event"']),
        ("event=o", ["event=order"]),
        ("event!=o", ["event!=order"]),
        ("event=t", ["event=tick"]),
        ('event="my', ['event="my event"']),
        ("event=an", ['event="and"']),
        ("kind=pi", ["kind=ping"]),
        ("ns=/n", ["ns=/news"]),
        ("arg.cu", ["arg.customer."]),
        ("arg.customer.", ["arg.customer.name=", 'arg.customer."zip code"=']),
        ('arg.customer."zip code"=', ['arg.customer."zip code"=8000']),
        ("arg.customer.name=A", ['arg.customer.name="Ann Smith"']),
        ("arg.customer.name~B", ["arg.customer.name~Bob"]),
        ("arg.items.", ["arg.items.0."]),
        ("arg.items.0.sku=", ["arg.items.0.sku=A-1"]),
        ("arg.1.r", ["arg.1.room="]),
        ("arg.id>=", ["arg.id>=8", "arg.id>=7"]),
        ("arg.paid=t", ["arg.paid=true"]),
        ("arg.nothing.", []),
        ("id=", ["id=4"]),
        ("event=order ", [f"event=order {join}" for join in ("& ", "| ", "and ", "or ")]),
        ("event=order a", ["event=order and "]),
        ("(event=order) o", ["(event=order) or "]),
        ("event=order & ki", ["event=order & kind="]),
        ("event=order and ki", ["event=order and kind="]),
        ("not ki", ["not kind="]),
        ("!(ki", ["!(kind="]),
        ('"and" ', [f'"and" {join}' for join in ("& ", "| ", "and ", "or ")]),
        (r'arg."\q".', []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert completions(text) == expected


def test_only_safe_text_is_offered() -> None:
    for text in ("", "event=", "arg.", "arg.x=", "arg.x~"):
        assert all(each.isprintable() for each in completions(text))


def test_the_sids_of_observed_clients() -> None:
    viewed = observed(opened("s-1"), opened("s-2"), message("lobby", "ann", "hi"))
    assert [each.text for each in complete_filter(viewed, "sid=s")] == ["sid=s-2", "sid=s-1"]


@pytest.mark.parametrize("start", ["event=", "arg.customer.name=", "kind=", "ns=", "arg.paid="])
def test_what_is_offered_can_be_parsed(start: str) -> None:
    for text in completions(start):
        parse(text)


def test_large_arguments_are_not_searched_to_their_end() -> None:
    viewed = view(*(event("e", *({"n": n} for n in range(3000))) for _ in range(20)))
    assert len(list(islice(complete_filter(viewed, "arg.n="), 100))) == 50
