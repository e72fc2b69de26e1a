"""nsroom: chat with, watch and debug any Socket.IO server from the terminal."""
