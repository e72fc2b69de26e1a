"""Names of sockets: nobody can guess one, and every server knows one when it sees it."""

import base64
import binascii
import hashlib
import secrets

_RANDOM = 12
_CHECK = 3


def generate() -> str:
    """Make a name of 20 characters."""
    octets = secrets.token_bytes(_RANDOM)
    return base64.urlsafe_b64encode(octets + _check(octets)).decode()


def is_one(name: str) -> bool:
    """Tell whether a name was made here or on another server."""
    try:
        octets = base64.b64decode(name.encode(), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return len(octets) == _RANDOM + _CHECK and octets[_RANDOM:] == _check(octets[:_RANDOM])


def _check(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()[:_CHECK]
