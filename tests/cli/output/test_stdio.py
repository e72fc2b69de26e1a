"""Results on stdout, messages on stderr, and outputs that are closed or full."""

import io
import os
import sys
from pathlib import Path

import pytest

from nsroom.errors import OutputError, Stopped
from nsroom.output.stdio import put, say


class Full(io.BytesIO):
    """A file on a device without room."""

    def write(self, _data: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_message_is_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("two\nlines \x1b[31m\u202e")
    assert capsys.readouterr() == ("", "nsroom: two\\nlines \\x1b[31m\\u202e\n")


@pytest.mark.parametrize("stream", ["none", "closed", "full"])
def test_a_missing_stderr_is_ignored(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full, closed = io.TextIOWrapper(Full()), io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", {"none": None, "closed": closed, "full": full}[stream])
    say("hello")
    full.detach()


def test_a_result_is_written_at_once(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    put(b"\xff\n")
    os.write(1, b"after\n")
    assert capfdbinary.readouterr().out == b"\xff\nafter\n"


def test_a_closed_pipe_stops_nsroom(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stdout = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(Stopped) as caught:
        put(b"x")
    assert caught.value.code == 141
    with pytest.raises(BrokenPipeError):
        stdout.close()


def test_a_full_output_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(OutputError, match="cannot write to standard output: No space left on device"):
        put(b"x")
    with pytest.raises(OSError, match="No space"):
        stdout.close()
