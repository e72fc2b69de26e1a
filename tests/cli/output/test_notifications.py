import pytest

from nsroom.errors import UsageError
from nsroom.output.notifications import Notifier, notify_filter, sequence
from tests.cli.tui.records import EVIL, event


@pytest.mark.parametrize(
    ("environment", "written"),
    [
        ({}, "\a"),
        ({"TERM": "xterm-256color"}, "\a"),
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;nsroom: 4,5\a"),
        ({"TERM": "xterm-kitty"}, "\x1b]9;nsroom: 4,5\a"),
        ({"TERM": "foot"}, "\x1b]777;notify;nsroom;4,5\a"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7200"}, "\x1b]777;notify;nsroom;4,5\a"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, "\a"),
        ({"TERM": "xterm", "TMUX": "/tmp/tmux", "VTE_VERSION": "7200"}, "\a"),
    ],
)
def test_what_the_terminal_understands(environment: dict[str, str], written: str) -> None:
    assert sequence("4;5", environment) == written


async def test_hostile_text_stays_inside_the_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "foot")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("TERM_PROGRAM", raising=False)
    written: list[str] = []
    await Notifier(written.append).write([event(f"x{EVIL}\a;", {"text": EVIL * 99})])
    text = written[0].removeprefix("\x1b]777;notify;nsroom;").removesuffix("\a")
    assert text.isprintable()
    assert ";" not in text
    assert len(text) <= 100


async def test_at_most_one_notice_a_second() -> None:
    written: list[str] = []
    times = iter([10.0, 10.0, 10.5, 11.5, 11.5])
    notifier = Notifier(written.append, lambda: next(times))
    await notifier.write([])
    await notifier.write([event("a"), event("b")])
    await notifier.write([event("c")])
    await notifier.write([event("d")])
    await notifier.close()
    assert len(written) == 2


def test_the_filter_of_the_option() -> None:
    matching = notify_filter("event=deploy")
    assert matching
    assert matching(event("deploy"))
    assert notify_filter(None) is None
    with pytest.raises(UsageError, match="--notify: column"):
        notify_filter("event=(")
