"""Where a text is pasted."""

from nsroom.doctor.finding import Fix

Fixes = tuple[Fix, ...]


def node(text: str) -> Fix:
    """Paste into a server on Node."""
    return Fix("server, Node", text)


def python(text: str) -> Fix:
    """Paste into a server on python-socketio."""
    return Fix("server, Python", text)


def client(text: str) -> Fix:
    """Paste into a client in JavaScript."""
    return Fix("client, JavaScript", text)


def client_python(text: str) -> Fix:
    """Paste into a client on python-socketio."""
    return Fix("client, Python", text)


def shell(text: str) -> Fix:
    """Paste into a terminal."""
    return Fix("shell", text)
