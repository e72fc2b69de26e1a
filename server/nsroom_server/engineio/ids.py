"""Generate and recognise socket ids."""

import base64
import binascii
import hashlib
import os

_RANDOM = 12
_CHECK = 3


def generate_sid() -> str:
    """Return an unguessable id of 20 characters."""
    data = os.urandom(_RANDOM)
    return base64.urlsafe_b64encode(data + _check(data)).decode()


def is_sid(name: str) -> bool:
    """Return whether a name is an id, of this server or another."""
    try:
        data = base64.b64decode(name.encode(), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return len(data) == _RANDOM + _CHECK and data[_RANDOM:] == _check(data[:_RANDOM])


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK]
