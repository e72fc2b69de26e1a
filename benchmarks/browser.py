"""A real browser through the proxy, over each transport: `python -m benchmarks.browser [CHROMIUM]`.

Not among the tests, which need nothing of the system but Python, git and a network.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from benchmarks.proxy import proxying
from tests.peers.node import SCRIPTS, find_node, install

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
PATIENCE = 60.0
"""Seconds for a browser to start and finish a page."""


@contextlib.contextmanager
def page(node: str, transports: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Serve the page; yield its URL and the output of the server."""
    command = [node, str(SCRIPTS / "page4.js"), "--transports", transports]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE, process.kill)
        impatience.start()
        try:
            port = json.loads(process.stdout.readline())["listening"]
            yield f"http://127.0.0.1:{port}", process.stdout
        finally:
            impatience.cancel()
            process.kill()


@contextlib.contextmanager
def browsing(chromium: str, url: str) -> Iterator[None]:
    """Open a page in a browser with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *OPTIONS, f"--user-data-dir={profile}", url]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()


def report(printed: IO[bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Wait for the reports of the server and of the page."""
    seen: dict[str, dict[str, Any]] = {}
    while "disconnect" not in seen:
        line = printed.readline()
        assert line, "the browser did not come to an end"
        record = json.loads(line)
        assert record["kind"] != "error", record
        seen[record["kind"]] = record
    return seen["connect"], seen["report"]


def check(node: str, chromium: str, transports: str) -> None:
    """Run the page through the proxy, and compare what page, proxy and server saw."""
    with page(node, transports) as (url, printed), tempfile.TemporaryFile() as out:
        with proxying(url, "--raw", stdout=out.fileno()) as (relayed, _), browsing(chromium, relayed):
            connect, reported = report(printed)
        out.seek(0)
        records = [json.loads(line) for line in out]
    assert connect["host"] == url.removeprefix("http://"), connect
    assert (reported["text"], reported["same"]) == ("π", True), reported
    upgraded = transports.endswith("websocket")
    assert reported["transport"] == reported["upgraded"] == ("websocket" if upgraded else "polling"), reported
    kinds = [record["kind"] for record in records]
    (answer,) = [record for record in records if record["kind"] == "ack" and record["event"] == "hello"]
    assert answer["args"][0] == "π", answer
    assert ("upgrade" in kinds) == (transports == "polling,websocket"), kinds
    assert "protocol_error" not in kinds, records
    assert "hunter2" not in json.dumps(records), "a secret is shown"
    assert len({record["sid"] for record in records}) == 1, records
    sys.stdout.write(f"{transports}: {len(records)} records, hello answered in {answer['rtt_ms']:.1f} ms\n")


def main() -> None:
    """Check every transport."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    parser.add_argument("chromium", nargs="?", type=Path, default=found, help="default: the one on PATH")
    options = parser.parse_args()
    if options.chromium is None:
        parser.error("no Chromium on PATH: install it (apt-get install chromium), or name it")
    node = find_node()
    install(node)
    for transports in ("polling", "websocket", "polling,websocket"):
        check(str(node), str(options.chromium), transports)


if __name__ == "__main__":
    main()
