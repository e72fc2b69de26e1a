"""Find the command that a command line means: by its name, by a target, or by a word of another tool."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import get_type_hints

from nsroom.cli import configuration
from nsroom.cli.common_options import leading
from nsroom.cli.masking import masked_line
from nsroom.client.target import is_host, is_target
from nsroom.errors import UsageError

_MEANT = {
    **dict.fromkeys(("listen", "watch", "sub", "subscribe", "attach", "open", "ws", "wscat"), "connect"),
    **dict.fromkeys(("monitor", "stream", "log", "logs", "follow"), "connect"),
    **dict.fromkeys(("send", "pub", "publish", "push", "post", "say", "message", "msg"), "emit"),
    **dict.fromkeys(("request", "req", "ask", "rpc", "query"), "call"),
    **dict.fromkeys(("answer", "respond", "acknowledge", "ack"), "reply"),
    **dict.fromkeys(("enter", "room"), "join"),
    **dict.fromkeys(("list", "ls"), "rooms"),
    **dict.fromkeys(("clients", "users", "who", "ps"), "sockets"),
    **dict.fromkeys(("disconnect", "drop", "ban"), "kick"),
    **dict.fromkeys(("server", "start", "host"), "serve"),
    **dict.fromkeys(("view", "cat", "less"), "show"),
    **dict.fromkeys(("explain", "parse", "inspect"), "decode"),
    **dict.fromkeys(("check", "diagnose", "test-connection", "ping"), "doctor"),
    **dict.fromkeys(("load", "stress", "benchmark", "perf"), "bench"),
    **dict.fromkeys(("relay", "intercept", "sniff"), "proxy"),
    **dict.fromkeys(("play", "resend", "rerun"), "replay"),
    **dict.fromkeys(("run", "spec", "scenario", "verify"), "test"),
    **dict.fromkeys(("man", "usage"), "help"),
}
"""Words that people type who know other tools."""
_REMARKS = {
    "monitor": "`tail` watches a whole instrumented server, `connect` the events of a namespace",
    "open": "`show` opens a recording, `connect` a server",
    "view": "`show` opens a recording, `connect` a server",
}


def with_command(argv: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Return the line with its command first: `nsroom TARGET` is `nsroom connect TARGET`.

    Options that precede the command follow it then. Raises: UsageError with the line that was meant.
    """
    start = leading(argv)
    if start == len(argv):
        if argv:
            raise UsageError("name a command (see `nsroom --help`)")
        return []
    word, common, rest = argv[start], argv[:start], argv[start + 1 :]
    if word in commands:
        return [word, *common, *rest]
    if word.startswith("-") and word != "-":
        return _after_options(argv, start, commands)
    if is_target(word) or (is_host(word) and not os.path.exists(word)):
        return ["connect", *common, word, *rest]
    if configuration.load().server_of(word):
        return ["connect", *common, word, *rest]
    raise _unknown(word, common, rest, commands)


def _after_options(argv: Sequence[str], start: int, commands: Sequence[str]) -> list[str]:
    """Return the line if only options of nsroom itself precede the command. Raises: UsageError."""
    option = argv[start].partition("=")[0]
    if option in ("-h", "--help", "-V", "--version") or "V" in option[1:2]:
        return list(argv)
    if option not in _connection_options():
        raise UsageError(f"unknown option {option} (see `nsroom --help`)", "nsroom --help")
    command = next((word for word in argv[start:] if word in commands), "connect")
    rest = list(argv[start:])
    if command in rest:
        rest.remove(command)
    raise UsageError(
        f"{option} goes after a command (see `nsroom --help`)",
        _line(command, *argv[:start], *rest),
    )


def _connection_options() -> set[str]:
    from nsroom.cli.connection_options import ConnectionOptions

    hints = get_type_hints(ConnectionOptions, include_extras=True)
    options = ConnectionOptions.options()
    named = {name for each in options for name in hints[each].__metadata__[0].names}
    return named | {f"--{name.replace('_', '-')}" for name in options}


def _unknown(word: str, common: Sequence[str], rest: Sequence[str], commands: Sequence[str]) -> UsageError:
    if os.path.isfile(word):
        return UsageError(f"{word!r} is a file: open a recording with `show`", _line("show", word, *rest))
    text = f"unknown command {word!r:.80}"
    if word[:1] in "[{0123456789" and not word.isalnum():
        return UsageError(f"{text}: `decode` explains frames", _line("decode", "-f", word))
    meant = meant_command(word, commands)
    if meant is None:
        return UsageError(
            f"{text}; `nsroom help` lists the commands, and a namespace is /{word:.80}", "nsroom help"
        )
    remark = _REMARKS.get(word.lower(), f"use `{meant}`")
    return UsageError(f"{text}: {remark}", _line(meant, *common, *_words(meant, rest)))


def meant_command(word: str, commands: Sequence[str]) -> str | None:
    """Return the command that another tool calls like this, or whose name is similar, or None."""
    close = get_close_matches(word.lower(), commands, 1, 0.6)
    return _MEANT.get(word.lower()) or next(iter(close), None)


def _words(command: str, rest: Sequence[str]) -> list[str]:
    """Return the words after another tool's command as ours takes them: `sub chat` is `connect /chat`."""
    if command != "connect":
        return list(rest)
    return [
        word if word.startswith("-") or is_target(word) or is_host(word) else f"/{word}" for word in rest[:1]
    ] + list(rest[1:])


def _line(*words: str) -> str:
    return masked_line(["nsroom", *words])
