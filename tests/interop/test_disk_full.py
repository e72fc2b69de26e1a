"""A disk that is full, and then is not: the chat goes on, and says what it could not store."""

import contextlib
import resource
import sqlite3
from pathlib import Path

from tests.conftest import StartServer
from tests.peers.program import Runner


async def test_the_chat_goes_on_when_the_disk_is_full(
    nsroom: Runner, serve: StartServer, tmp_path: Path
) -> None:
    history = tmp_path / "history.db"
    server = await serve(history=history)

    async def say(text: str) -> dict[str, object]:
        lines = f'["join","lobby"]\n["message",{{"room":"lobby","text":"{text}"}}]\n'
        result = await nsroom("emit", "-u", server.url, "--ack", "--json", "-", stdin=lines)
        assert result.code == 0
        answer: dict[str, object] = result.records()[-1]["args"][0]
        return answer

    assert await say("before") == {"ok": True, "id": 1}
    unlimited = resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
    assert await say("meanwhile") == {"ok": True, "id": None, "history": "history_unavailable"}
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, unlimited)
    assert await say("after") == {"ok": True, "id": 2}
    assert "history unavailable" in await server.proc.err("history unavailable")

    with contextlib.closing(sqlite3.connect(history)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT COUNT(*) FROM messages").fetchone() == (2,)
