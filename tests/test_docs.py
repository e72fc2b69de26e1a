"""The documentation names every command, option, exit code, event and check, and the help fits 80 columns.

`python -m tests.test_docs` writes the tables of docs/options.md, the man pages and the text of `--help`
from the code.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from docs import error_messages, man_pages, topics
from nsroom.cli.app import build
from nsroom.cli.completer import takes_file
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.display_options import ShowOptions, WatchOptions
from nsroom.cli.event_options import EmitOptions
from nsroom.cli.via_options import ViaOptions
from nsroom.commands import COMMANDS, GROUPS
from nsroom.doctor.checks import all_checks
from nsroom.doctor.client_errors import known_errors
from nsroom.errors import ExitCode
from nsroom.filters import parse
from nsroom.main import HELP, HELP_COLUMNS
from nsroom.record import FIELDS, Kind
from nsroom_server.chat.handlers import Chat
from nsroom_server.chat.lab import Lab
from tests.peers.program import Runner

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
BEGIN = "<!-- options: written by `python -m tests.test_docs` -->\n"
END = "<!-- end of options -->\n"
BEGIN_SCHEMA = "<!-- schema: written by `python -m tests.test_docs` -->\n"
END_SCHEMA = "<!-- end of schema -->\n"
SHARED = {
    "Connection": ConnectionOptions,
    "Watching: `connect`, `join` and `tail`": ShowOptions,
    "Watching, also: `connect` and `join`": WatchOptions,
    "Events: `emit` and `call`": EmitOptions,
    "A server seen from inside: `rooms`, `sockets`, `tail`, `top`, `kick`, `join` and `emit`": ViaOptions,
}
BUILT = {
    "serve": "--host --port --path --namespace --any-namespace --history --redis --token --cors-origin"
    " --ping-interval --ping-timeout --max-payload --transports --tls-cert --tls-key --drain --log-format"
    " --admin --fault --conformance --insecure --recovery --no-page --no-greeting --print-limits --json",
    "connect": "",
    "join": "--as --join-event --join-args --join-preset --write",
    "emit": "--ack --summary --offline --write",
    "call": "",
    "reply": "--exec --text --where --count --wait --for --all --raw --json --plain --time --save --force",
    "rooms": "--json --watch",
    "sockets": "--json --watch",
    "tail": "--theme --notify",
    "top": "--write --metrics",
    "kick": "--room --write --yes",
    "decode": "",
    "replay": "",
    "diff": "--ignore --where",
    "test": "--junit --only --set --jobs --save --new",
    "show": "--where --count --wait --for --time --theme --all --raw --json --plain --save --force",
    "doctor": "--json --strict --explain --origin --soak",
    "proxy": "--listen --drop --delay --where --count --wait --all --raw --json --plain --save --force"
    " --for --time --theme --summary --cert --key --insecure --cacert --connect-timeout",
    "bench": "",
    "demo": "",
    "servers": "--check",
    "completion": "",
    "help": "--json",
}
"""The options that the contract names, except those that commands share."""
BEYOND = {
    "serve": "--allowed-host --limit --admin-write --script --replay --speed --strict",
    "emit": "--json",
    "call": "--json --fail --error-first",
    "rooms": "--timeout --all",
    "sockets": "--timeout --all",
    "top": "--timeout --all --theme",
    "demo": "--theme",
    "kick": "--timeout",
    "servers": "--json",
    "decode": "--frame --json --plain",
    "diff": "--json",
    "show": "--speed",
    "replay": "--direction --speed --ack --timeout --map --expect --ignore --summary",
    "doctor": "--event --event-args",
    "test": "--force",
    "proxy": "--notify --origin --fault-where --summary --hold --intercept --stdin",
    "bench": "--scenario --script --set --clients --rooms --workers --ramp --rate --in-flight --duration"
    " --size --timeout --event --args --room-event --room-args --join-event --join-args --join-preset"
    " --max-p50 --max-p90 --max-p99 --max-p999 --max-errors --json --save --force --yes",
}
"""What it does not mention."""
CONTRACT_SHARED = {
    ConnectionOptions: "--url --namespace --path --auth --header --cookie --query --transport --insecure"
    " --cacert --connect-timeout --no-reconnect --protocol --parser --auth-command --preset --cert --key"
    " --resolve",
    ShowOptions: "--where --count --wait --all --json --plain --save --force --for --time",
    WatchOptions: "--raw --stdin --reply --theme --message-event --message-args --notify",
    EmitOptions: "--text --room --to --except --timeout",
    ViaOptions: "--via --admin-auth --admin-session --admin-namespace",
}
OPTION_GROUPS: dict[type, tuple[str, ...]] = {
    ConnectionOptions: (
        *("connect", "join", "emit", "call", "reply", "rooms", "sockets", "tail", "top", "kick", "replay"),
        *("bench", "doctor", "test"),
    ),
    ShowOptions: ("connect", "join", "tail"),
    WatchOptions: ("connect", "join"),
    EmitOptions: ("emit", "call"),
    ViaOptions: ("rooms", "sockets", "tail", "top", "kick", "join", "emit"),
}

COMMON = ("--quiet", "--verbose", "--color", "--debug")
"""The options of every command."""

TREE: Any = typer.main.get_command(build(GROUPS))


def options(command: str) -> list[Any]:
    """Return a command's options, without `--help`."""
    return [each for each in TREE.commands[command].params if each.param_type_name == "option"]


def long_names(params: list[Any]) -> set[str]:
    """Return the names with two dashes."""
    return {name for each in params for name in each.opts if name.startswith("--")}


def shared(command: str) -> set[str]:
    """Return the long options that a command shares with others."""
    return {name for kind, names in CONTRACT_SHARED.items() if _has(command, kind) for name in names.split()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_options_of_the_contract_and_no_others(command: str) -> None:
    own = {*BUILT[command].split(), *BEYOND.get(command, "").split()}
    assert long_names(options(command)) == own | shared(command) | {*COMMON}


@pytest.mark.parametrize("command", ["", *COMMANDS])
async def test_help_has_examples_and_fits(command: str, nsroom: Runner) -> None:
    result = await nsroom(*command.split(), "--help", env={"COLUMNS": "80"})
    assert (result.code, result.stderr) == (0, "")
    assert max(map(len, result.lines)) <= 80
    assert "Examples:" in result.stdout or command == ""
    assert f"nsroom {command}" in result.stdout
    assert all(name in result.stdout for name in long_names(options(command) if command else []))


@pytest.mark.parametrize("columns", ["", "nonsense", "0", "80", "300"])
async def test_help_is_what_typer_writes(columns: str, nsroom: Runner) -> None:
    by_typer = await nsroom("-q", "--help", env={"COLUMNS": "80"})
    assert by_typer.stdout == root_help()
    for word in ("--help", "-h"):
        assert await nsroom(word, env={"COLUMNS": columns}) == by_typer
    narrow = {"COLUMNS": "60"}
    assert await nsroom("--help", env=narrow) == await nsroom("-q", "--help", env=narrow) != by_typer


async def test_the_list_of_commands_is_complete(nsroom: Runner) -> None:
    listed = (await nsroom("--help")).stdout.partition("\nTalk:\n")[2]
    assert re.findall("^  ([a-z]+) ", listed, re.M) == list(COMMANDS)
    assert re.findall("^([A-Z].*):$", listed, re.M) == list(GROUPS)[1:]
    assert "..." not in listed


def examples() -> Iterator[str]:
    """Yield the commands in the examples of every help, and in the shell blocks of the documents."""
    for command in TREE.commands.values():
        yield from re.findall(r"nsroom .*", command.help.partition("Examples:")[2])
    texts = "\n".join(page.read_text("utf-8") for page in (README, *DOCS.glob("*.md")))
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```$", texts, re.M | re.S):
        yield from re.findall(r"^(?:\$ )?(?:.*?[|&] |NSROOM_\w+=\S+ )?(nsroom .*)", block, re.M)


@pytest.mark.parametrize("example", sorted(set(examples())))
def test_examples_name_options_that_exist(example: str) -> None:
    words = _words(example)
    command = words[1]
    given = {word.partition("=")[0] for word in words[2:] if word.startswith("-") and len(word) > 1}
    known = {
        name for each in (options(command) if command in COMMANDS else TREE.params) for name in each.opts
    }
    assert given <= known | {"--help"}


def _words(example: str) -> list[str]:
    """Return the words of the first command of a line; text after two blanks is a remark."""
    lexer = shlex.shlex(re.split(r" {2,}(?=[a-z])", example)[0], posix=True, punctuation_chars="|;<>&)")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|;<>&)"):
            break
        words.append(word)
    return words


def page(name: str) -> str:
    """Return the text of a page of the documentation."""
    return (DOCS / name).read_text("utf-8")


def test_a_page_has_every_option() -> None:
    text = page("options.md")
    assert text.partition(BEGIN)[2].partition(END)[0] == reference(), "run: python -m tests.test_docs"


def test_a_page_has_the_schema_of_records() -> None:
    text = page("records.md")
    assert text.partition(BEGIN_SCHEMA)[2].partition(END_SCHEMA)[0] == schema(), (
        "run: python -m tests.test_docs"
    )


def test_a_page_has_every_error_message() -> None:
    text = page(error_messages.FILE.name)
    assert text == error_messages.page(), "run: python -m tests.test_docs"
    anchors = re.findall(r'(?:\{ #| id=")([a-z0-9-]+)[ "]', text)
    assert len(set(anchors)) == len(anchors) == sum(len(error.words) for error in known_errors())


def test_a_page_has_every_exit_code() -> None:
    rows = re.findall(r"^\| ([\d ]+) \| (\w+) \|", page("scripting.md"), re.M)
    listed = {int(code): name for codes, name in rows for code in codes.split()}
    assert set(listed) == {int(code) for code in ExitCode}
    assert {code: name for code, name in listed.items() if name != "signals"} == {
        int(code): code.name.lower() for code in ExitCode if not code.name.startswith("SIG")
    }


def test_a_page_has_every_event_of_the_server() -> None:
    text = page("server.md")
    names = {*_handlers(Chat), *_handlers(Lab)}
    assert {name for name in names if f"`{name}`" not in text} == set()


def _handlers(kind: type) -> set[str]:
    """Return the events of a group of handlers."""
    handlers = object.__new__(kind)
    return set(handlers.handlers)


def test_a_page_has_every_check_of_doctor() -> None:
    assert re.findall(r"^### ([a-z0-9-]+)$", page("doctor.md"), re.M) == [each.name for each in all_checks()]


def test_a_page_has_every_part_of_a_record() -> None:
    text = page("records.md")
    assert [name for name in (*FIELDS, *Kind) if f"`{name}`" not in text] == []


def test_the_filters_of_a_page_can_be_read() -> None:
    block = page("scripting.md").partition("## Filters")[2].partition("```text\n")[2].partition("```")[0]
    expressions = [part for line in block.splitlines() for part in re.split(r" {3,}", line) if part]
    read = [text for text in expressions if set(text) & set("=~><")]
    assert len(read) == 6
    assert all(parse(text).fields for text in read)


def test_completion_offers_files_to_the_commands_that_take_files() -> None:
    files = {each.opts[0] for each in options("connect") if takes_file(each)}
    assert files == {"--save", "--cacert", "--cert", "--key"}
    arguments = [
        command
        for command in COMMANDS
        for each in TREE.commands[command].params
        if each.param_type_name == "argument" and takes_file(each)
    ]
    assert sorted(arguments) == ["decode", "diff", "diff", "replay", "show", "test"]


def reference() -> str:
    """Return the tables of options: the shared ones, then each command's own."""
    groups = {id(kind): set(kind.__annotations__) for kind in SHARED.values()}
    common = [each for each in options(COMMANDS[0]) if each.opts[-1] in COMMON]
    parts = [_table("Every command, before or after its name", common)]
    parts += [_table(title, _of_group(kind)) for title, kind in SHARED.items()]
    for command in COMMANDS:
        elsewhere = {name for kind in SHARED.values() if _has(command, kind) for name in groups[id(kind)]}
        own = [
            each for each in options(command) if each.name not in elsewhere and each.opts[-1] not in COMMON
        ]
        parts.append(_table(f"`{command}`", own) if own else "")
    return "\n" + "\n".join(filter(None, parts)) + "\n"


def _has(command: str, kind: type) -> bool:
    return command in OPTION_GROUPS[kind]


def _of_group(kind: type[Any]) -> list[Any]:
    command = next(command for command in COMMANDS if _has(command, kind))
    names = set(kind.__annotations__)
    return [each for each in options(command) if each.name in names]


def _table(title: str, params: list[Any]) -> str:
    rows = [f"| {_names(each)} | {_cell(each.help)} |" for each in params]
    return "\n".join([f"| {title} | |", "|---|---|", *rows, ""])


def _names(param: Any) -> str:
    names = " ".join(f"`{name}`" for name in param.opts)
    if param.is_flag:
        return names
    choices = getattr(param.type, "choices", None)
    return f"{names} {_cell('|'.join(choices) if choices else param.metavar or param.type.name.upper())}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("  [", " [")


def schema() -> str:
    """Return the JSON Schema of records as a block."""
    text = Path(HELP).with_name("record.schema.json").read_text("utf-8")
    return f"\n```json\n{text}```\n\n"


def written(name: str, begin: str, text: str, end: str) -> None:
    """Write the part of a page between two marks."""
    before, _, rest = page(name).partition(begin)
    (DOCS / name).write_text(before + begin + text + end + rest.partition(end)[2], "utf-8")


def root_help() -> str:
    """Return typer's text for `--help`, which `main` prints without loading typer."""
    context = TREE.make_context("nsroom", [], resilient_parsing=True, terminal_width=HELP_COLUMNS)
    return f"{context.get_help()}\n"


if __name__ == "__main__":
    Path(HELP).write_text(root_help(), "utf-8")
    written("options.md", BEGIN, reference(), END)
    written("records.md", BEGIN_SCHEMA, schema(), END_SCHEMA)
    topics.write()
    error_messages.write()
    man_pages.write()
