"""Exit codes of errors, and their texts."""

import signal

import pytest

from nsroom import errors
from nsroom.errors import DecodeError, ExitCode, NsroomError, Stopped


def test_every_exit_code_of_an_error_is_its_own() -> None:
    kinds = {kind for kind in NsroomError.__subclasses__() if kind.__module__ == errors.__name__}
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert {ExitCode.OK, ExitCode.BUG}.isdisjoint(codes)


def test_refused_credentials_are_a_refusal() -> None:
    assert errors.CredentialsError("x").code is ExitCode.REFUSED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE, signal.SIGTERM])
def test_exit_codes_of_signals(number: signal.Signals) -> None:
    assert Stopped(number).code == ExitCode[number.name] == 128 + number


def test_stopping_is_not_caught_as_an_exception() -> None:
    assert not issubclass(Stopped, Exception)


def test_a_decode_error_names_reason_and_offset() -> None:
    error = DecodeError("not base64", "b*", 1)
    assert str(error) == "not base64 at offset 1"
    assert (error.reason, error.frame, error.offset) == ("not base64", "b*", 1)
