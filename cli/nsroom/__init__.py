"""nsroom: chat with, watch and debug any Socket.IO server from the terminal."""

__version__ = "0.1.0"
