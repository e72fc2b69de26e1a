"""The /admin namespace of the Socket.IO Admin UI."""
