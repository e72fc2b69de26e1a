"""The reference server: namespaces, rooms, presence and history, as a Socket.IO client meets them."""

__version__ = "0.1.0"
"""The distribution's; reading its metadata would take longer than the rest of a request."""
