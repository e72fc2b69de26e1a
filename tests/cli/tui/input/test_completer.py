import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from nsroom.tui.input.completer import LiveCompleter
from tests.cli.tui.records import event, view

SEEN = (
    event("price", {"symbol": "ACME", "bid": 1, "room": "r"}),
    event("my event", 1),
    event("hi", {"room": "lobby", "sid": "s1"}),
    event("x", {"room": "the den", "sid": "s2"}),
    event("\x1b[2J", {"room": "\u202e"}),
    event("y", namespace="/news"),
)


def completions(text: str) -> list[str]:
    """Return the line after each completion."""
    found = LiveCompleter(view(*SEEN)).get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + each.start_position] + each.text for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/j", ["/join "]),
        ("/cl", ["/clear"]),
        ("hello", []),
        ("//j", []),
        ("/join ", ["/join lobby", "/join r", "/join 'the den'"]),
        ("/join the", ["/join 'the den'"]),
        ("/join lobby l", ["/join lobby lobby"]),
        ("/leave the", ["/leave the den"]),
        ("/who l", ["/who lobby"]),
        ("/ns /n", ["/ns /news"]),
        ("/copy j", ["/copy json", "/copy js"]),
        ("/emit ", ["/emit x", "/emit hi", "/emit 'my event'", "/emit price"]),
        ("/emit pr", ["/emit price"]),
        ("/emit price ", ["/emit price symbol=", "/emit price bid:=", "/emit price room="]),
        ("/emit price symbol=X b", ["/emit price symbol=X bid:="]),
        ("/call -n /chat price b", ["/call -n /chat price bid:="]),
        ('/emit price {"sy', ['/emit price {"symbol": ']),
        ('/emit price {"symbol": "A", "b', ['/emit price {"symbol": "A", "bid": ']),
        ("/emit price sid=s", ["/emit price sid=s2", "/emit price sid=s1"]),
        ("/emit price --ro", ["/emit price --room"]),
        ("/emit --room l", ["/emit --room lobby"]),
        ("/emit -n /n", ["/emit -n /news"]),
        ('["pr', ['["price"']),
        ('["price", {"b', ['["price", {"bid": ']),
        ("/where ev", ["/where event=", "/where event~"]),
        ("/where event=p", ["/where event=price"]),
        ("/where event=m", ['/where event="my event"']),
        ("/where event=q", []),
        ("/where kind=event & (ns=/n", ["/where kind=event & (ns=/news"]),
        ("/where kind=pi", ["/where kind=ping"]),
        ("/where dir=o", ["/where dir=out"]),
        ("/reply ", ["/reply ok:=true", "/reply error=", "/reply --once"]),
        ("/quit ", []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert completions(text) == expected


def test_completions_are_safe() -> None:
    offered = [each for text in ("/emit ", "/join ", "/where event=") for each in completions(text)]
    assert all(each.isprintable() for each in offered)


def test_commands_show_their_usage_and_help() -> None:
    (found,) = LiveCompleter(view()).get_completions(Document("/emi"), CompleteEvent())
    assert found.display_text == "/emit EVENT [ARG…]"
    assert "emit an event" in found.display_meta_text
