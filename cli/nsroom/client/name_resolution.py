"""--resolve: connect to another address than the one that a host name has."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from nsroom.errors import UsageError

_ADDRESSES: dict[tuple[str, int], str] = {}
"""The addresses to use, by host and port, for the whole process."""


def use(texts: Iterable[str]) -> None:
    """Use the addresses of `HOST:PORT:ADDRESS` texts. Raises: UsageError."""
    for text in texts:
        host, _, rest = text.partition(":")
        port, _, address = rest.partition(":")
        address = address.removeprefix("[").removesuffix("]")
        try:
            ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            address = ""
        if not (host and address and port.isascii() and port.isdigit() and int(port) < 65_536):
            raise UsageError(f"--resolve {text!r:.80}: write it as HOST:PORT:ADDRESS, as for curl")
        _ADDRESSES[host.lower(), int(port)] = address


def place_of(host: Any, port: object) -> Any:
    """Return the address to use for a host, or the host itself."""
    if not _ADDRESSES or not isinstance(host, str) or not str(port).isdigit():
        return host
    return _ADDRESSES.get((host.lower(), int(str(port))), host)
