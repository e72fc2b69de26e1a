"""Every way to exit: one line on stderr, and the contract's exit code."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from nsroom import errors, main
from nsroom.errors import ExitCode, Stopped
from tests.peers.program import Runner

HOSTILE = "\x1b]52;c;aGk=\x07\n[link=x]\x01\x02"
Fail = Callable[[BaseException | None], list[str]]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Add a command that raises an exception; return its command line."""

    def add(error: BaseException | None) -> list[str]:
        def command() -> None:
            """Fail."""
            if error is not None:
                raise error

        module = ModuleType("nsroom.commands.fail")
        vars(module)["fail"] = command
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(main, "COMMANDS", ("fail",))
        return ["fail"]

    return add


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("UsageError", 2),
        ("ConnectError", 3),
        ("RefusedError", 4),
        ("WaitError", 5),
        ("LostError", 6),
        ("NackError", 7),
        ("DataError", 8),
        ("LimitError", 9),
        ("OutputError", 10),
        ("NsroomError", 70),
    ],
)
def test_an_error_is_a_line_and_a_code(
    kind: str, code: int, fail: Fail, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(fail(getattr(errors, kind)(f"no: {HOSTILE}"))) == code
    assert capsys.readouterr() == ("", "nsroom: no: \\x1b]52;c;aGk=\\x07\\n[link=x]\\x01\\x02\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (Stopped(2), 130),
        (Stopped(15), 143),
        (Stopped(13), 141),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_these_errors_are_silent(
    error: BaseException | None, code: int, fail: Fail, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(fail(error)) == code
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_reported_with_instructions(fail: Fail, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(fail(ZeroDivisionError(HOSTILE))) == ExitCode.BUG
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("nsroom: this is a bug in nsroom: ZeroDivisionError: \\x1b]52;")
    assert "nsroom --debug" in second


def test_debug_shows_a_safe_traceback(fail: Fail, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--debug", *fail(ZeroDivisionError(HOSTILE))]) == ExitCode.BUG
    stderr = capsys.readouterr().err
    assert "Traceback (most recent call last):\n" in stderr
    assert "in command\n" in stderr
    assert stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("nonsense", "unknown command 'nonsense'"),
        ("--nonsense", "unknown option --nonsense (see `nsroom --help`)"),
        ("emit", "emit needs an EVENT, for example:"),
        ("emit x --nonsense", "unknown option --nonsense"),
        ("emit x --timeout 0", "--timeout '0': must be a number of seconds, at least 0.01"),
        ("connect -W", "-W needs a value: -W SECONDS"),
        ("proxy :3000 --intercept --stdin", "--intercept needs a value: --intercept EXPR"),
        ("emit x --ack=yes", "option '--ack' does not take a value"),
        ("connect chat", "'chat' is neither a namespace like /chat nor a host nor a URL"),
        ("--debug --nonsense", "unknown option --nonsense"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    line: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(line.split()) == ExitCode.USAGE
    stdout, stderr = capsys.readouterr()
    message, *corrected = stderr.splitlines()
    assert (stdout, message.startswith(f"nsroom: {text}")) == ("", True)
    assert [each[:9] for each in corrected] in ([], ["  nsroom "])


def test_without_a_command_it_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == ExitCode.USAGE
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.startswith("Usage: nsroom [OPTIONS] COMMAND")
    assert "\n  emit " in stderr


@pytest.mark.parametrize("line", ["--help", "-h", *(f"{name} --help" for name in main.COMMANDS)])
def test_help_is_printed_to_stdout(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(line.split()) == 0
    stdout, stderr = capsys.readouterr()
    assert stderr == ""
    assert "Examples:" in stdout or "Talk:" in stdout
    assert stdout.replace("\n", "").isprintable()


def test_every_command_is_listed_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["--help"])
    listed = capsys.readouterr().out.partition("\nTalk:\n")[2]
    assert re.findall("^  ([a-z]+) +[A-Z].+[.]$", listed, re.M) == [*main.COMMANDS]


# As a process


async def test_the_version(nsroom: Runner) -> None:
    result = await nsroom("--version")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith("nsroom 0.")


@pytest.mark.parametrize("line", ["--version", "nonsense", "decode -f 42", "emit x -u :1"])
async def test_the_script_and_the_module_are_the_same(line: str, nsroom: Runner) -> None:
    script = Runner((str(Path(sys.executable).with_name("nsroom")),), nsroom.env, nsroom.cwd)
    assert await script(*line.split()) == await nsroom(*line.split())


PRINTING = ["--version", "--help", "emit --help", "decode -f 2", "emit x --offline"]


@pytest.mark.parametrize("line", PRINTING)
async def test_a_full_output(line: str, nsroom: Runner) -> None:
    result = await nsroom(*line.split(), stdout=Path("/dev/full"))
    assert result.code == ExitCode.OUTPUT
    assert result.stderr == "nsroom: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("line", PRINTING)
async def test_a_closed_pipe(line: str, shell: Runner) -> None:
    result = await shell(f"(sleep 0.5; nsroom {line}; echo $? >&2) | true")
    assert result.stderr == "141\n"


@pytest.mark.parametrize("line", PRINTING)
async def test_a_closed_output(line: str, shell: Runner) -> None:
    result = await shell(f"nsroom {line} >&-")
    assert result.code == ExitCode.OUTPUT
    assert result.stderr == "nsroom: cannot write to standard output: Bad file descriptor\n"


async def test_a_closed_stderr(shell: Runner) -> None:
    result = await shell("nsroom nonsense 2>&-")
    assert (result.code, result.stdout) == (ExitCode.USAGE, "")
    assert (await shell("nsroom emit x -u :1 2>/dev/full")).code == ExitCode.CONNECT
