"""The fuzzer: a short run of each target, and a fault that it must find."""

from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzzer
from tests.fuzz.properties import TARGETS

pytest.importorskip("atheris", reason="it has wheels for Linux on x86-64 only")


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run(target: str, tmp_path: Path) -> None:
    result = fuzzer.fuzz(target, 1, 20261123, tmp_path)
    assert result.code == 0, fuzzer.describe(result)
    assert result.runs > len(list((fuzzer.CORPUS / target).iterdir()))


def test_a_fault_is_found_and_kept(tmp_path: Path) -> None:
    large = b"x" * (600 << 20)  # the memory of this process does not count
    result = fuzzer.fuzz("engineio", 20, 1, tmp_path, "tests.fuzz.planted")
    del large
    assert result.code != 0
    assert result.finding is not None
    assert result.finding.parent == tmp_path
    assert result.finding.name.startswith("engineio-")
    assert b"bug" in result.finding.read_bytes()
    report = fuzzer.describe(result)
    assert str(result.finding) in report
    assert "seed 1:" in report
    assert "AssertionError: planted" in report


def test_an_input_that_takes_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzer, "CORPUS", tmp_path)
    (tmp_path / "memory").mkdir()
    result = fuzzer.fuzz("memory", 20, 1, tmp_path / "findings", "tests.fuzz.planted")
    assert result.code != 0
    assert "MemoryError" in fuzzer.describe(result)


def test_an_unknown_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        fuzzer.main(["htp11"])
    assert "unknown target htp11; there are http11, websocket" in capsys.readouterr().err
