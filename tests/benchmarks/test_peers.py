"""The servers that ours is compared with, and the table of several of them."""

import json
import os
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.__main__ import head, row
from tests.peers.node import find_node


def package(folder: Path, script: str) -> Path:
    """Return a folder of packages with a uWebSockets.js of our own."""
    (modules := folder / "uWebSockets.js").mkdir(parents=True)
    (modules / "package.json").write_text(json.dumps({"name": "a-repack", "version": "20.1.0"}))
    (modules / "index.js").write_text(script)
    return folder


def test_the_first_engine_that_loads_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = package(tmp_path / "a", 'throw new Error("unsupported\\n\\nError: no glibc")')
    works = package(tmp_path / "b", "module.exports = {}")
    assert peers.load_failure(find_node(), broken) == "Error: no glibc"
    monkeypatch.setenv("NODE_PATH", f"{broken}{os.pathsep}{works}")
    found = peers.node_on_uws(tmp_path, tmp_path)
    assert found.modules == [works, tmp_path]
    assert found.version.startswith("20.1.0 (a-repack) on Node ")
    assert found.command("x")[-2:] == ["uws", "x"]


def test_a_line_has_a_ratio_for_each_rival(capsys: pytest.CaptureFixture[str]) -> None:
    head("a job", "ws", "bun")
    row("CPU", 2, 4, 0, unit="µs")
    _, names, values = capsys.readouterr().out.splitlines()
    assert names.split() == ["a", "job", "nsroom", "ws", "ratio", "bun", "ratio"]
    assert values.split() == ["CPU,", "µs", "2.0", "4.0", "0.50", "0.0", "nan"]
