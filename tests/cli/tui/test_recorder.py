"""Records that are saved while they are shown."""

import json
from pathlib import Path

import pytest

from nsroom.errors import OutputError, UsageError
from nsroom.proxy.marks import Mark, State
from nsroom.tui.recorder import Recorder
from nsroom.tui.screen.state import View
from tests.cli.tui.records import event, model, packet

FRAMED = event("a", frames=['42["a"]'], bytes=7)
BROKEN = packet("protocol_error", frames=["9"], bytes=1)


def recorder(view: View, raw: bool = False) -> Recorder:
    return Recorder(view, lambda: None, raw)


def saved(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_past_and_future_records(tmp_path: Path) -> None:
    view = View(model(*(event("before", n) for n in range(5000))), "")
    sink = recorder(view)
    await sink.add(str(tmp_path / "f"), force=False)
    await sink.write([event("after")])
    await sink.close()
    assert [record["args"] for record in saved(tmp_path / "f")] == [*([n] for n in range(5000)), []]
    assert (view.saved, len(view.model.records)) == (5001, 5001)


@pytest.mark.parametrize(("raw", "expected"), [(False, [False, True]), (True, [True, True])])
async def test_frames_are_saved_only_with_raw(tmp_path: Path, raw: bool, expected: list[bool]) -> None:
    sink = recorder(View(model(), ""), raw)
    await sink.add(str(tmp_path / "f"), force=False)
    await sink.write([FRAMED, BROKEN])
    await sink.close()
    assert ["frames" in record for record in saved(tmp_path / "f")] == expected


async def test_existing_and_impossible_files(tmp_path: Path) -> None:
    sink = recorder(View(model(), ""))
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match="already exists"):
        await sink.add(str(tmp_path / "f"), force=False)
    with pytest.raises(OutputError, match="No such file"):
        await sink.add(str(tmp_path / "no" / "f"), force=False)
    await sink.add(str(tmp_path / "f"), force=True)
    await sink.close()


async def test_a_packet_that_waits_is_saved_once_it_is_passed_on(tmp_path: Path) -> None:
    states = [{"intercept": Mark(id=1, state=state)} for state in (State.WAITING, State.FORWARDED)]
    waiting, forwarded = (event("a", data=data) for data in states)
    sink = recorder(View(model(waiting), ""))
    await sink.add(str(tmp_path / "f"), force=False)
    assert saved(tmp_path / "f") == []
    await sink.write([waiting, forwarded])
    await sink.close()
    assert [record["seq"] for record in saved(tmp_path / "f")] == [forwarded.seq]
