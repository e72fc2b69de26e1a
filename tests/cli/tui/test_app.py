"""The application with keys from a pipe, with the reference server in the same process."""

import json
from pathlib import Path

from tests.cli.tui.user import User


async def test_saving_past_and_future_records(user: User, tmp_path: Path) -> None:
    file = tmp_path / "run.ndjson"
    await user.press(f"/save {file}", "Enter")
    await user.sees("⏺")
    await user.press("recorded", "Enter")
    await user.sees("me: recorded")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert not any("frames" in record for record in records)
    await user.press(f"/save {file}", "Enter")
    await user.sees(lambda text: "already exists" in " ".join(text.split()))  # it may be wrapped
