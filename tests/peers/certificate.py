"""A certificate for a test's server."""

import asyncio
from pathlib import Path


async def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 and its key there, and give their paths."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    child = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(key), "-out", str(cert)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await child.wait() == 0
    return cert, key


async def encrypted_key(folder: Path) -> Path:
    """Write a key with a passphrase there, and give its path."""
    key = folder / "encrypted.pem"
    child = await asyncio.create_subprocess_exec(
        *("openssl", "genrsa", "-aes256", "-passout", "pass:abc", "-out", str(key), "2048"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await child.wait() == 0
    return key
